import OctetKernels
import Testing

@Suite("Letters out of octets")
struct LetterPickerTests {
    @Test("letters stay, in lower case, and every octet above 127; all else goes")
    func picks() {
        let picked = Array("Ab1 -z{`@[Z\r\nÜ".utf8).withUnsafeBytes { letters($0, LetterPicker.pick) }
        #expect(String(decoding: picked, as: UTF8.self) == "abzzÜ")
    }

    @Test("many octets at a step leave what single ones do, wherever a piece begins and ends")
    func steps() {
        var seed: UInt64 = 1
        let octets = (0..<600).map { _ -> UInt8 in
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            return UInt8(truncatingIfNeeded: seed >> 40)
        }
        let all = octets + (0...255).map { UInt8($0) } + [UInt8](repeating: 0x5A, count: 50)
        for start in 0..<20 {
            for end in stride(from: start, through: all.count, by: 13) {
                let piece = Array(all[start..<end])
                let (quick, slow) = piece.withUnsafeBytes { piece in
                    (letters(piece, LetterPicker.pick), letters(piece, LetterPicker.pickSingly))
                }
                #expect(quick == slow, "\(start)..<\(end)")
            }
        }
    }

    private func letters(
        _ piece: UnsafeRawBufferPointer,
        _ pick: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> Int
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: piece.count) { room, count in
            count = pick(piece, UnsafeMutableRawBufferPointer(room))
        }
    }
}
