import AdminProtocol
import ArgumentParser

/// `30m`, `2h`, `7d` as the value of an option.
extension Span: ExpressibleByArgument {}
