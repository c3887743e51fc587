internal import FoundationEssentials

// Generated code has octets as `Data`; here, and nowhere else in these engines, they change their type.

func data(_ octets: [UInt8]) -> Data { Data(octets) }

func length(of octets: some Collection<UInt8>) -> Int { octets.count }
