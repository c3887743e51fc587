import Cryptography
import MailValues
import SwiftProtobuf

extension Token {
    private static let prefix = "chappe1."

    /// One word of letters, digits, `-`, `_` and `.`: it stands on a command line.
    package var text: String {
        var message = Chappe_Cluster_Token()
        message.permit = permit.message
        message.seed = data(key.seed)
        message.linkKey = data(linkKey)
        message.check = data(check)
        let base64 = Base64.encode(octets(of: message)).compactMap { letter -> UInt8? in
            switch letter {
            case 0x2B: 0x2D
            case 0x2F: 0x5F
            case 0x3D: nil
            default: letter
            }
        }
        return Self.prefix + String(decoding: base64, as: UTF8.self)
    }

    package static let textOctetsLongest = 2_048

    /// By which a bent line is known; it keeps nobody out who wants in.
    private var check: [UInt8] {
        Array(SHA256.digest(of: permit.signature + key.seed + linkKey).prefix(4))
    }

    /// Nil for what is no token, or is not whole any more; whether it is good is the doorkeeper's to say.
    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix(Self.prefix), text.utf8.count <= Self.textOctetsLongest else { return nil }
        var letters = text.utf8.dropFirst(Self.prefix.utf8.count).map { letter -> UInt8 in
            switch letter {
            case 0x2D: 0x2B
            case 0x5F: 0x2F
            default: letter
            }
        }
        while letters.count % 4 != 0 { letters.append(0x3D) }
        guard let octets = Base64.decode(letters),
            let message = try? Chappe_Cluster_Token(serializedBytes: octets),
            let permit = Permit(message.permit), let key = Ed25519PrivateKey(seed: message.seed),
            key.publicKey == permit.tokenKey, permit.isSigned(by: permit.operatorKey),
            message.linkKey.count == LinkCertificate.keyOctets
        else { return nil }
        self.init(permit: permit, key: key, linkKey: Array(message.linkKey))
        guard message.check.elementsEqual(check) else { return nil }
    }
}

extension Permit {
    fileprivate var message: Chappe_Cluster_Permit {
        var message = Chappe_Cluster_Permit()
        message.cluster = data(cluster.octets)
        message.operator = data(operatorKey)
        message.tokenKey = data(tokenKey)
        message.doorkeeper = data(doorkeeper.octets)
        message.number = number
        message.expires = UInt64(clamping: expires.milliseconds)
        message.signature = data(signature)
        return message
    }

    fileprivate init?(_ message: Chappe_Cluster_Permit) {
        guard let cluster = ClusterID(octets: Array(message.cluster)),
            let doorkeeper = NodeID(octets: message.doorkeeper),
            message.operator.count == Ed25519.publicKeyOctets,
            message.tokenKey.count == Ed25519.publicKeyOctets,
            message.signature.count == Ed25519.signatureOctets, let expires = Int64(exactly: message.expires)
        else { return nil }
        self.init(
            cluster: cluster, operatorKey: Array(message.operator), tokenKey: Array(message.tokenKey),
            doorkeeper: doorkeeper, number: message.number, expires: Timestamp(milliseconds: expires),
            signature: Array(message.signature))
    }
}

extension LinkCertificate {
    /// As it is stored and said.
    package var octets: [UInt8] { Membership.octets(of: message) }

    package init?(decoding octets: [UInt8]) {
        guard octets.count <= 512, let message = try? Chappe_Cluster_LinkCertificate(serializedBytes: octets)
        else {
            return nil
        }
        self.init(message)
    }

    fileprivate var message: Chappe_Cluster_LinkCertificate {
        var message = Chappe_Cluster_LinkCertificate()
        message.node = data(node.octets)
        message.linkKey = data(linkKey)
        message.serial = serial
        message.signature = data(signature)
        return message
    }

    fileprivate init?(_ message: Chappe_Cluster_LinkCertificate) {
        guard let node = NodeID(octets: message.node), message.linkKey.count == Self.keyOctets,
            message.signature.count == Ed25519.signatureOctets
        else { return nil }
        self.init(
            node: node, linkKey: Array(message.linkKey), serial: message.serial,
            signature: Array(message.signature))
    }
}

extension Admission {
    /// Octets of one admission, with room for fields of later versions.
    package static let octetLimit = 4_096

    package var octets: [UInt8] { Membership.octets(of: message) }

    /// Nil for what is none; whether it is good is another question.
    package init?(decoding octets: [UInt8]) {
        guard octets.count <= Self.octetLimit,
            let message = try? Chappe_Cluster_Admission(serializedBytes: octets)
        else { return nil }
        self.init(message)
    }

    fileprivate var message: Chappe_Cluster_Admission {
        var message = Chappe_Cluster_Admission()
        message.permit = permit.message
        message.name = name
        message.link = link.message
        message.tokenSignature = data(tokenSignature)
        message.nodeSignature = data(nodeSignature)
        message.doorkeeperSignature = data(doorkeeperSignature)
        if let contact { message.contact = contact.message }
        return message
    }

    fileprivate init?(_ message: Chappe_Cluster_Admission) {
        let signatures = [message.tokenSignature, message.nodeSignature]
        guard let permit = Permit(message.permit), let link = LinkCertificate(message.link),
            message.name.utf8.count <= Self.nameOctetsLongest,
            signatures.allSatisfy({ $0.count == Ed25519.signatureOctets }),
            message.doorkeeperSignature.isEmpty
                || message.doorkeeperSignature.count == Ed25519.signatureOctets
        else { return nil }
        var contact: LinkContact?
        if message.hasContact {
            guard let given = LinkContact(message.contact) else { return nil }
            contact = given
        }
        self.init(
            permit: permit, name: message.name, link: link, contact: contact,
            tokenSignature: Array(message.tokenSignature),
            nodeSignature: Array(message.nodeSignature),
            doorkeeperSignature: Array(message.doorkeeperSignature))
    }
}

extension LinkContact {
    var message: Chappe_Cluster_Contact {
        var message = Chappe_Cluster_Contact()
        message.address = data(address.octets)
        message.controlPort = UInt32(controlPort)
        message.bulkPort = UInt32(bulkPort)
        return message
    }

    init?(_ message: Chappe_Cluster_Contact) {
        guard let address = IPAddress(octets: message.address),
            let control = UInt16(exactly: message.controlPort),
            let bulk = UInt16(exactly: message.bulkPort), control > 0, bulk > 0
        else { return nil }
        self.init(address: address, controlPort: control, bulkPort: bulk)
    }
}

extension Introduction {
    package static let octetLimit = 1_024

    package var octets: [UInt8] { Membership.octets(of: message) }

    /// Nil for what is none; whether it is the member's word is another question.
    package init?(decoding octets: [UInt8]) {
        guard octets.count <= Self.octetLimit,
            let message = try? Chappe_Cluster_Introduction(serializedBytes: octets)
        else { return nil }
        self.init(message)
    }

    fileprivate var message: Chappe_Cluster_Introduction {
        var message = Chappe_Cluster_Introduction()
        message.link = link.message
        if let contact { message.contact = contact.message }
        return message
    }

    fileprivate init?(_ message: Chappe_Cluster_Introduction) {
        guard let link = LinkCertificate(message.link) else { return nil }
        var contact: LinkContact?
        if message.hasContact {
            guard let given = LinkContact(message.contact) else { return nil }
            contact = given
        }
        self.init(link: link, contact: contact)
    }
}

extension JoinAnswer {
    /// As large as a frame may be: some hundred octets a member.
    package static let octetLimit = 4 << 20

    package var octets: [UInt8] {
        var message = Chappe_Cluster_JoinAnswer()
        switch self {
        case .refused(let refusal): message.refusal = refusal.rawValue
        case .welcome(let admissions, let evictions, let introductions, let orders):
            message.admissions = admissions.map(\.message)
            message.evictions = evictions.map { eviction in
                var message = Chappe_Cluster_Eviction()
                message.node = data(eviction.node.octets)
                message.number = eviction.number
                return message
            }
            message.introductions = introductions.map(\.message)
            message.orders = orders.map { data(OrderFact($0).octets) }
        }
        return Membership.octets(of: message)
    }

    package init?(decoding octets: [UInt8]) {
        guard octets.count <= Self.octetLimit,
            let message = try? Chappe_Cluster_JoinAnswer(serializedBytes: octets),
            message.admissions.count <= AdmissionBook.countLongest,
            message.evictions.count <= AdmissionBook.countLongest,
            message.introductions.count <= AdmissionBook.countLongest,
            message.orders.count <= AdmissionBook.countLongest
        else { return nil }
        if message.refusal != 0 {
            // A reason that a later version knows is still a no.
            self = .refused(JoinRefusal(rawValue: message.refusal) ?? .wrong)
            return
        }
        var admissions: [Admission] = []
        for each in message.admissions {
            guard let admission = Admission(each) else { return nil }
            admissions.append(admission)
        }
        var evictions: [(node: NodeID, number: UInt64)] = []
        for each in message.evictions {
            guard let node = NodeID(octets: each.node) else { return nil }
            evictions.append((node, each.number))
        }
        var introductions: [Introduction] = []
        for each in message.introductions {
            guard let introduction = Introduction(each) else { return nil }
            introductions.append(introduction)
        }
        var orders: [Order] = []
        for each in message.orders {
            guard let fact = OrderFact(octets: Array(each)) else { return nil }
            orders.append(fact.order)
        }
        self = .welcome(
            admissions: admissions, evictions: evictions, introductions: introductions, orders: orders)
    }
}

/// A message's octets.
func octets(of message: some Message) -> [UInt8] {
    guard let octets: [UInt8] = try? message.serializedBytes() else {
        fatalError("a message without required fields can be written")
    }
    return octets
}
