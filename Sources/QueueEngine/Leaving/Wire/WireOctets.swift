internal import FoundationEssentials

/// The octets as generated code wants them.
func data(_ octets: [UInt8]) -> Data { Data(octets) }
