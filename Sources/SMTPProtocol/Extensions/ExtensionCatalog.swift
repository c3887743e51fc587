/// All extensions, in the order of the reply to EHLO.
enum ExtensionCatalog {
    static let all: [any ServiceExtension.Type] = [
        PipeliningExtension.self,
        SizeExtension.self,
        EightBitMIMEExtension.self,
        SMTPUTF8Extension.self,
        ChunkingExtension.self,
        DSNExtension.self,
        EnhancedStatusCodesExtension.self,
        LimitsExtension.self,
        StartTLSExtension.self,
        AuthExtension.self,
        XclientExtension.self,
    ]
}
