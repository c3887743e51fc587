/// Certificates and keys for tests, of a curve that every OpenSSL knows. They open nothing.
enum PEMFixture {
    /// For mx.example.test, until 2126.
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBpjCCAU2gAwIBAgIUJTnOBOE16Y5OvVEHSkkFS3OByccwCgYIKoZIzj0EAwIw
        GjEYMBYGA1UEAwwPbXguZXhhbXBsZS50ZXN0MCAXDTI2MTEzMDE2MjIyOFoYDzIx
        MjYxMTA2MTYyMjI4WjAaMRgwFgYDVQQDDA9teC5leGFtcGxlLnRlc3QwWTATBgcq
        hkjOPQIBBggqhkjOPQMBBwNCAAR+SJsrab3JHKqH9FAI2HQqjKoS6uBiNpjadKWW
        tI5EtHUKpWUTX3jvYseb2tDxd143nPOnyF07MjxigBxIh0G2o28wbTAdBgNVHQ4E
        FgQUyRk5kcwvhXMJnF6poerONZBM9GowHwYDVR0jBBgwFoAUyRk5kcwvhXMJnF6p
        oerONZBM9GowDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgg9teC5leGFtcGxl
        LnRlc3QwCgYIKoZIzj0EAwIDRwAwRAIhAKsbI9ufSh7PTzCMwomWZOCbDttUkGAC
        E37QSH4tjGzWAh9FXYNDKS2FmX7xNSxntjzQBpJCqNzrZA675KHDSm+f
        -----END CERTIFICATE-----

        """

    /// Its key.
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdN1pUMbNU436GIOy
        ERihtwhs4J8AVYHMjpe2tqjgdAyhRANCAAR+SJsrab3JHKqH9FAI2HQqjKoS6uBi
        NpjadKWWtI5EtHUKpWUTX3jvYseb2tDxd143nPOnyF07MjxigBxIh0G2
        -----END PRIVATE KEY-----

        """

    /// The same key, until the year 2021.
    static let ended = """
        -----BEGIN CERTIFICATE-----
        MIIBHDCBwgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9teC5leGFtcGxlLnRl
        c3QwHhcNMjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAaMRgwFgYDVQQDDA9t
        eC5leGFtcGxlLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR+SJsrab3J
        HKqH9FAI2HQqjKoS6uBiNpjadKWWtI5EtHUKpWUTX3jvYseb2tDxd143nPOnyF07
        MjxigBxIh0G2MAoGCCqGSM49BAMCA0kAMEYCIQDKeD8DMwumWtoBGJW+FAX9MPqB
        MXF7qKtybrZfgtNZFQIhALbJCNVqFMGwj4CtzQe/vOaqebU8TlCbJlE3z9ftJtin
        -----END CERTIFICATE-----

        """

    /// A key that belongs to neither.
    static let otherKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgINA9/UWAF7zE94Y+
        UNncCw3tGwQY7QtApDBGb98bj0KhRANCAARWQREznVY6BDeB5IxQzixlWugTITWK
        7OXauePOFYOgg7GBlQiwTqH3B5BIAz9iLRfw8EX6SpQ9YtM41dVQ8e8F
        -----END PRIVATE KEY-----

        """
}
