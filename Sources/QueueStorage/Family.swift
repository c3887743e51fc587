/// The column families of the store (DESIGN §4.6).
enum Family: Int, CaseIterable, Sendable {
    /// Who, and how far: id → envelope, id ‖ index → progress, id ‖ FFFFFFFF → amendment.
    case envelope
    /// The octets: id ‖ chunk number, in blob files.
    case content
    /// Envelopes kept for peers. Nothing writes it yet; it exists so that a later version finds it.
    case copy
    /// Decisions and attempts: id ‖ time ‖ counter; the oldest go first.
    case ledger
    /// Format, epoch, chunks under way, notes.
    case state

    var name: String {
        switch self {
        case .envelope: "envelope"
        case .content: "content"
        case .copy: "copy"
        case .ledger: "ledger"
        case .state: "state"
        }
    }
}
