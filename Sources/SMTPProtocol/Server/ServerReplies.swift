import MailValues

/// What the machine says by itself. Constants, so that an ordinary session makes no text.
extension Reply {
    static let ok = Reply(250, EnhancedStatus(2, 0, 0), "ok")
    static let senderTaken = Reply(250, EnhancedStatus(2, 1, 0), "sender ok")
    static let recipientTaken = Reply(250, EnhancedStatus(2, 1, 5), "recipient ok")
    static let messageTaken = Reply(250, EnhancedStatus(2, 0, 0), "message accepted")
    static let chunkTaken = Reply(250, EnhancedStatus(2, 0, 0), "chunk taken")
    static let startContent = Reply(354, nil, "end with <CR><LF>.<CR><LF>")
    static let goodbye = Reply(221, EnhancedStatus(2, 0, 0), "goodbye")
    static let help = Reply(214, EnhancedStatus(2, 0, 0), "RFC 5321 says it all")
    static let cannotVerify = Reply(252, EnhancedStatus(2, 5, 0), "send some mail, it will be tried")
    static let beginHandshake = Reply(220, EnhancedStatus(2, 0, 0), "begin TLS")
    static let authenticated = Reply(235, EnhancedStatus(2, 7, 0), "authenticated")

    static let shuttingDown = Reply(421, EnhancedStatus(4, 3, 2), "this node is stopping, try again")
    static let timedOut = Reply(421, EnhancedStatus(4, 4, 2), "waited too long")
    static let sessionOver = Reply(421, EnhancedStatus(4, 4, 2), "the session has lasted long enough")
    static let tooManyErrors = Reply(421, EnhancedStatus(4, 7, 0), "too many errors")
    static let tooManyIdleCommands = Reply(421, EnhancedStatus(4, 7, 0), "too many commands without mail")
    static let tooManyTransactions = Reply(421, EnhancedStatus(4, 7, 0), "enough messages for one session")
    static let houseFailed = Reply(451, EnhancedStatus(4, 3, 0), "cannot say now, try later")
    static let houseSilent = Reply(421, EnhancedStatus(4, 3, 0), "cannot say now, try later")
    static let tooManyRecipients = Reply(452, EnhancedStatus(4, 5, 3), "too many recipients")

    static let unknownCommand = Reply(500, EnhancedStatus(5, 5, 1), "command unknown")
    static let malformedLine = Reply(500, EnhancedStatus(5, 5, 2), "control character in a command")
    static let lineTooLong = Reply(500, EnhancedStatus(5, 5, 2), "line too long")
    static let notImplemented = Reply(502, EnhancedStatus(5, 5, 1), "command not implemented")
    static let syntax = Reply(501, EnhancedStatus(5, 5, 4), "syntax error in parameters")
    static let noName = Reply(501, EnhancedStatus(5, 5, 4), "say who you are: a domain or an address literal")
    static let helloFirst = Reply(503, EnhancedStatus(5, 5, 1), "say EHLO first")
    static let badSequence = Reply(503, EnhancedStatus(5, 5, 1), "bad sequence of commands")
    static let mailFirst = Reply(503, EnhancedStatus(5, 5, 1), "MAIL first")
    static let nestedMail = Reply(503, EnhancedStatus(5, 5, 1), "a transaction is open")
    static let resetFirst = Reply(503, EnhancedStatus(5, 5, 1), "the transaction has failed, RSET first")
    static let inChunks = Reply(503, EnhancedStatus(5, 5, 1), "BDAT or RSET only, until BDAT LAST")
    static let noRecipients = Reply(554, EnhancedStatus(5, 5, 1), "no valid recipients")
    static let bareLineFeed = Reply(521, EnhancedStatus(5, 5, 2), "a command ends with CRLF")
    static let badChunkSize = Reply(521, EnhancedStatus(5, 5, 4), "chunk size not understood")
    static let notSMTP = Reply(521, EnhancedStatus(5, 5, 1), "this is SMTP")
    static let talksEarly = Reply(554, EnhancedStatus(5, 5, 1), "you talked before the greeting")
    static let healthCheckOnly = Reply(550, EnhancedStatus(5, 7, 1), "EHLO and QUIT only on this connection")

    static let messageTooLarge = Reply(552, EnhancedStatus(5, 3, 4), "message too large")
    static let headerTooLarge = Reply(552, EnhancedStatus(5, 3, 4), "header section too large")
    static let textLineTooLong = Reply(554, EnhancedStatus(5, 6, 0), "line of text too long")
    static let bareLineEnd = Reply(550, EnhancedStatus(5, 6, 0), "bare CR or LF in the message")

    static let startTLSFirst = Reply(530, EnhancedStatus(5, 7, 0), "STARTTLS first")
    static let alreadyEncrypted = Reply(503, EnhancedStatus(5, 5, 1), "TLS is on already")
    static let talksBeforeHandshake = Reply(554, EnhancedStatus(5, 5, 1), "nothing may follow STARTTLS")
    static let alreadyAuthenticated = Reply(503, EnhancedStatus(5, 5, 1), "authenticated already")
    static let unknownMechanism = Reply(504, EnhancedStatus(5, 5, 4), "mechanism not offered")
    static let encryptionNeeded = Reply(
        538, EnhancedStatus(5, 7, 11), "encryption required for authentication")
    static let authenticationLineTooLong = Reply(500, EnhancedStatus(5, 5, 6), "authentication line too long")
    static let badBase64 = Reply(501, EnhancedStatus(5, 5, 2), "not base 64")
    static let authenticationCancelled = Reply(501, EnhancedStatus(5, 7, 0), "authentication cancelled")
    static let authenticationFailed = Reply(535, EnhancedStatus(5, 7, 8), "authentication failed")
}

/// Why a command cannot be taken as it stands.
enum CommandError: Error, Equatable {
    case syntax
    case reversePath(PathError)
    case forwardPath(PathError)
    /// An address holds UTF-8 and MAIL did not say SMTPUTF8 (RFC 6531 §3.5).
    case utf8NotAnnounced
    case unknownParameter
    case repeatedParameter
    case badParameter
    case tooLarge

    /// The client's own fault each time, and waiting does not help.
    var reply: Reply {
        switch self {
        case .syntax: .syntax
        case .reversePath(.syntax), .reversePath(.notUTF8): Self.badSender
        case .reversePath(.localPartTooLong), .reversePath(.domainTooLong), .reversePath(.pathTooLong):
            Self.longSender
        case .forwardPath(.syntax), .forwardPath(.notUTF8): Self.badRecipient
        case .forwardPath(.localPartTooLong), .forwardPath(.domainTooLong), .forwardPath(.pathTooLong):
            Self.longRecipient
        case .utf8NotAnnounced: Self.utf8
        case .unknownParameter: Self.unknown
        case .repeatedParameter: Self.repeated
        case .badParameter: Self.bad
        case .tooLarge: .messageTooLarge
        }
    }

    private static let badSender = Reply(501, EnhancedStatus(5, 1, 7), "sender address has no valid form")
    private static let longSender = Reply(501, EnhancedStatus(5, 1, 7), "sender address too long")
    private static let badRecipient = Reply(
        501, EnhancedStatus(5, 1, 3), "recipient address has no valid form")
    private static let longRecipient = Reply(501, EnhancedStatus(5, 1, 3), "recipient address too long")
    private static let utf8 = Reply(553, EnhancedStatus(5, 6, 7), "such an address takes SMTPUTF8")
    private static let unknown = Reply(555, EnhancedStatus(5, 5, 4), "parameter not known here")
    private static let repeated = Reply(501, EnhancedStatus(5, 5, 4), "parameter given twice")
    private static let bad = Reply(501, EnhancedStatus(5, 5, 4), "parameter not understood")
}
