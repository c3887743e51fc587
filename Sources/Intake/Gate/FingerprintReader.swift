import Cryptography
import Filtering
import MailValues
import MessageFormat

/// Finds the fingerprints of a message while it comes: its text, and each of its files.
final class FingerprintReader: LeafTaker {
    /// Fingerprints of one message: they are stored and indexed with it. What comes behind them is not looked at.
    static let countMost = 8
    /// Octets below which a file is nobody's fingerprint: half the world's mail carries the same empty picture.
    static let fileOctetsLeast = 128

    private static let pieceOctets = 4096

    private var walk = MIMEWalk()
    private var body = NormalisedBody()
    private var text = SHA256()
    private var file: Digest?
    private var fileOctets = 0
    private var files: [Fingerprint] = []

    /// A class, because a digest that is under way cannot be copied.
    private final class Digest {
        private var sha256 = SHA256()
        func update(_ octets: UnsafeRawBufferPointer) { sha256.update(octets) }
        func finish() -> [UInt8] { sha256.finish() }
    }

    func take(_ piece: [UInt8]) {
        var taker = self
        walk.take(piece, &taker)
    }

    /// The message is whole.
    func finish() -> [Fingerprint] {
        var taker = self
        walk.finish(&taker)
        guard body.isTelling, let fingerprint = Fingerprint(.body, digest: text.finish()) else {
            return files
        }
        return [fingerprint] + files
    }

    // MARK: Leaves

    func take(_ octets: UnsafeRawBufferPointer, of kind: MIMEWalk.LeafKind) {
        switch kind {
        case .text: takeText(octets)
        case .attachment:
            guard files.count < Self.countMost - 1 else { return }
            let digest = file ?? Digest()
            file = digest
            fileOctets += octets.count
            digest.update(octets)
        }
    }

    func ended(_ kind: MIMEWalk.LeafKind) {
        guard kind == .attachment, fileOctets > 0, let file else { return }
        let digest = file.finish()
        if fileOctets >= Self.fileOctetsLeast, let fingerprint = Fingerprint(.attachment, digest: digest),
            !files.contains(fingerprint)
        {
            files.append(fingerprint)
        }
        fileOctets = 0
    }

    private func takeText(_ octets: UnsafeRawBufferPointer) {
        withUnsafeTemporaryAllocation(byteCount: Self.pieceOctets, alignment: 1) { room in
            var start = 0
            while start < octets.count {
                let end = min(start + Self.pieceOctets, octets.count)
                let count = body.reduce(UnsafeRawBufferPointer(rebasing: octets[start..<end]), into: room)
                text.update(UnsafeRawBufferPointer(rebasing: room[..<count]))
                start = end
            }
        }
    }
}
