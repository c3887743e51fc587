package import MailValues

/// The house behind a session: who may send what, and where messages go.
///
/// One receiver is made for each connection by a `MailReceiverFactory`, and is called on that connection's
/// lane alone. Each call returns the answer at once where it can, because a hop costs more than most answers;
/// or nil, and then says `asker.answer(ticket, …)` on the same lane later, exactly once. A ticket that is no
/// longer waited for is ignored.
package protocol MailReceiver: AnyObject {
    /// Before the machine hears of it: what was said in clear no longer counts (RFC 3207 §4.2).
    func tlsEstablished(_ facts: TLSFacts)
    func ask(_ question: Question, ticket: Ticket, asker: any AnswerTaker) -> Answer?
    func beginMessage()
    /// Pieces come in order and belong to the message begun last.
    ///
    /// False: too much is waiting to be written; the shell stops reading until `asker.resumeReading()`.
    func content(_ piece: [UInt8], asker: any AnswerTaker) -> Bool
    func abortTransaction()
    /// The answer to `endOfMessage` is overdue: take the message back if that is still possible, and answer.
    ///
    /// Where it may be stored already nobody must hear that it is not, or it would come twice: then nothing is said
    /// until the store has spoken, and the client hangs up when it is tired of waiting (RFC 5321 §4.5.3.2.6).
    func withdraw(_ ticket: Ticket, asker: any AnswerTaker)
    /// The session said no by itself.
    func refused(_ reply: Reply, _ what: Refused)
    /// Lines that were no SMTP, over the whole session: told once, before `disconnected`.
    func sawNonsense(_ count: Int)
    func disconnected()
}

extension MailReceiver {
    package func refused(_ reply: Reply, _ what: Refused) {}
    package func sawNonsense(_ count: Int) {}
}

/// Who asked: the shell of one session.
package protocol AnswerTaker: AnyObject, Sendable {
    /// On the lane only.
    func answer(_ ticket: Ticket, _ answer: Answer)
    func resumeReading()
    var lane: any Lane { get }
}

package protocol MailReceiverFactory: AnyObject, Sendable {
    /// Called on the lane of the new connection.
    func receiver(for facts: ConnectionFacts, listener: ListenerName) -> any MailReceiver
}

/// The name of a listener in the configuration: `mx`, `submission`, `inside`.
package typealias ListenerName = String
