package import Convergence
internal import MailValues

/// An order on its way: any node may say it, for it is signed by the operator.
package struct OrderFact: Fact {
    package var order: Order

    package static let description = FactDescription(
        kind: FactKind(rawValue: 8), name: "order", isUrgent: true, lifetimeLongest: nil,
        bounds: FactBounds(
            keys: 4096, octets: 4 << 20, subjectOctets: Order.subjectOctetsLongest + 2,
            valueOctets: Order.payloadOctetsLongest + 2048, overflow: .refuse))

    package init(_ order: Order) { self.order = order }

    package static func octets(of subject: Order.Subject) -> [UInt8] {
        [UInt8(subject.kind.rawValue >> 8), UInt8(truncatingIfNeeded: subject.kind.rawValue)] + subject.octets
    }

    package static func subject(_ octets: [UInt8]) -> Order.Subject? {
        guard octets.count >= 2 else { return nil }
        let kind = OrderKind(rawValue: UInt16(octets[0]) << 8 | UInt16(octets[1]))
        return Order.Subject(kind, Array(octets.dropFirst(2)))
    }

    /// The order with its subject, so that who stores it needs no more.
    package var octets: [UInt8] {
        var writer = order.fields
        writer.bytes(7, order.signature)
        writer.number(8, UInt64(order.subject.kind.rawValue))
        writer.bytes(9, order.subject.octets)
        return writer.octets
    }

    package init?(octets: [UInt8]) {
        order = Order(
            unsigned: Order.Subject(OrderKind(rawValue: 0), []), number: 0, isLifted: false, by: "",
            reason: "",
            payload: [], expires: nil)
        var reader = FieldReader(octets)
        while let (field, value) = reader.next() {
            guard Self.read(field, value, into: &order) else { return nil }
        }
        guard !reader.isBroken, order.isWithinBounds, order.signature.count == 64 else { return nil }
    }

    private static func read(_ field: UInt8, _ value: FieldReader.Value, into order: inout Order) -> Bool {
        switch (field, value) {
        case (1, .number(let number)): order.number = number
        case (2, .number(let lifted)): order.isLifted = lifted != 0
        case (3, .bytes(let text)):
            guard let text = String(validating: text, as: UTF8.self) else { return false }
            order.by = text
        case (4, .bytes(let text)):
            guard let text = String(validating: text, as: UTF8.self) else { return false }
            order.reason = text
        case (5, .bytes(let payload)): order.payload = Array(payload)
        case (6, .number(let moment)):
            order.expires = moment == 0 ? nil : Timestamp(milliseconds: Int64(clamping: moment))
        case (7, .bytes(let signature)): order.signature = Array(signature)
        case (8, .number(let kind)):
            guard let kind = UInt16(exactly: kind) else { return false }
            order.subject.kind = OrderKind(rawValue: kind)
        case (9, .bytes(let subject)): order.subject.octets = Array(subject)
        default: break
        }
        return true
    }

    /// The one with the highest number.
    package static func merge(_ said: [Said<OrderFact>]) -> Order? {
        Merge.highest(said.map(\.value), number: { $0.order.number }, octets: { $0.octets })?.order
    }
}
