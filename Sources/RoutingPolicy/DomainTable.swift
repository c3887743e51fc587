package import MailValues

/// Values by domain: the name itself, else the longest `.suffix` above it.
///
/// Names are compared as A-labels, so that a domain is found however it was written.
package struct DomainTable<Value: Sendable>: Sendable {
    private var exact: [String: Value] = [:]
    /// Without the leading dot.
    private var suffixes: [String: Value] = [:]

    package init() {}

    /// `pattern`: `example.org`, or `.example.org` for every name below it, but not itself. The last of two
    /// equal ones holds.
    ///
    /// False: the pattern cannot be a domain.
    @discardableResult
    package mutating func insert(_ value: Value, for pattern: String) -> Bool {
        let isSuffix = pattern.utf8.first == 0x2E
        let name = Domain(isSuffix ? pattern.dropFirst() : pattern[...])
        guard let key = name.aLabel?.name, !key.isEmpty else { return false }
        if isSuffix { suffixes[key] = value } else { exact[key] = value }
        return true
    }

    package var isEmpty: Bool { exact.isEmpty && suffixes.isEmpty }

    package func value(for domain: Domain) -> Value? {
        guard domain.isASCII else { return domain.aLabel.flatMap(find) }
        return find(domain)
    }

    /// Every value with the pattern that leads to it, in no order.
    package var entries: [(pattern: String, value: Value)] {
        exact.map { ($0.key, $0.value) } + suffixes.map { ("." + $0.key, $0.value) }
    }

    private func find(_ domain: Domain) -> Value? {
        if let value = exact[domain.name] { return value }
        guard !suffixes.isEmpty else { return nil }
        var rest = domain.name[...]
        // A domain has at most 127 labels, so this ends.
        while let dot = rest.utf8.firstIndex(of: 0x2E) {
            rest = rest[rest.utf8.index(after: dot)...]
            if let value = suffixes[String(rest)] { return value }
        }
        return nil
    }
}

extension DomainTable: Equatable where Value: Equatable {}
