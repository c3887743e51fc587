import MailValues
import QueueEngine

@testable import QueueStorage

/// Any octets as a stored envelope: an error, or an envelope that is written and read again as the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = UnsafeRawBufferPointer(start: data, count: count)
    let id = QueueID(high: 1, low: 2)
    _ = try? EnvelopeDecoding.progress(octets)
    guard let decoded = try? EnvelopeDecoding.envelope(id, octets) else { return 0 }
    let wire = WireWriter()
    wire.envelope(decoded.envelope, epoch: decoded.epoch, withRecipients: true)
    let again = try? EnvelopeDecoding.envelope(id, wire.octets)
    precondition(again?.envelope == decoded.envelope, "what is written is read again")
    return 0
}
