import Glibc
import TestSupport
import Testing

@testable import SMTPTransport

@Suite struct TLSFileTests {
    @Test(
        "a key that group or others may read is refused, and the error says what to do",
        arguments: [0o640, 0o604, 0o666] as [mode_t])
    func refusesPublicKeys(mode: mode_t) throws {
        let (certificate, key) = try (
            write(TLSFixtures.host.certificate, mode: 0o644), write(TLSFixtures.host.key, mode: mode)
        )
        defer {
            unlink(certificate)
            unlink(key)
        }
        let error = #expect(throws: TLSConfigurationError.keyNotPrivate(file: key, mode: UInt32(mode))) {
            try TLSIdentity(certificateFile: certificate, keyFile: key)
        }
        #expect(error?.description.contains("chmod 600") == true)
    }

    @Test("a private key file is read, alone or in one file with its certificate")
    func readsPrivateKeys() throws {
        let certificate = try write(TLSFixtures.host.certificate, mode: 0o644)
        let key = try write(TLSFixtures.host.key, mode: 0o600)
        let both = try write(TLSFixtures.host.certificate + "\n" + TLSFixtures.host.key, mode: 0o400)
        defer { for file in [certificate, key, both] { unlink(file) } }
        for (certificate, key) in [(certificate, key), (both, both)] {
            let identity = try TLSIdentity(certificateFile: certificate, keyFile: key)
            _ = try TLSServerContext(settings: TLSServerSettings(identities: [identity]))
        }
    }

    @Test("a file that is not there is named")
    func namesMissingFiles() {
        #expect(
            throws: TLSConfigurationError.unreadable(
                file: "/nonexistent/key", reason: "No such file or directory")
        ) {
            try TLSIdentity(certificateFile: "/nonexistent/key", keyFile: "/nonexistent/key")
        }
    }

    private func write(_ text: String, mode: mode_t) throws -> String {
        var name = Array("/tmp/chappe-tls-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(fchmod(descriptor, mode) == 0)
        try #require(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
