/// Certificates for tests, valid until 2126. Their keys are worthless: they are here.
///
/// The common name of those that the authority signed is common.example.test, which no verification may
/// accept.
package enum TLSFixtures {
    package struct Identity: Sendable {
        package let certificate: String
        package let key: String
    }

    /// The authority that signed all but `stranger`.
    package static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBljCCAT2gAwIBAgIUbG6Yzj7lE/f1qHfmyAEAG0PPqN8wCgYIKoZIzj0EAwIw
        IDEeMBwGA1UEAwwVQ2hhcHBlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyNDE1NDQz
        M1oYDzIxMjYxMDMxMTU0NDMzWjAgMR4wHAYDVQQDDBVDaGFwcGUgdGVzdCBhdXRo
        b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATt5p9pFS/CjnzJ+8hhSOVZ
        rVcdmnGJbPTkJMr38GFRtlINnuCF84xaeMDW+ho8afq8bH4lW+9iHu2zjX8FzIOY
        o1MwUTAdBgNVHQ4EFgQUGRD9wGvzJi3NFC39WAn8ZiZKm/4wHwYDVR0jBBgwFoAU
        GRD9wGvzJi3NFC39WAn8ZiZKm/4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
        AgNHADBEAiBjK8mDJyqpVy3sVkZxk4fN2yU+YpJFdH8r/xmJSlbjMwIgGRMuAOrn
        hYDWW7FgkNps9AQPDId4lR+mSB9PfORXMDk=
        -----END CERTIFICATE-----
        """

    /// mx.example.test and 192.0.2.25, with an elliptic key.
    package static let host = Identity(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBsDCCAVegAwIBAgIUPpZszhjPQH7bPcF48npfqRI47R0wCgYIKoZIzj0EAwIw
            IDEeMBwGA1UEAwwVQ2hhcHBlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyNDE1NDQz
            M1oYDzIxMjYxMDMxMTU0NDMzWjAeMRwwGgYDVQQDDBNjb21tb24uZXhhbXBsZS50
            ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGRoI+6rDnlrn0ZuXfJuEocwE
            9Tg4zYU+3K/PzJ6r/Y+wixQGDetB1lDEaigrYCGZCK6lGpfj9SpOWkv04Mq4iKNv
            MG0wIAYDVR0RBBkwF4IPbXguZXhhbXBsZS50ZXN0hwTAAAIZMAkGA1UdEwQCMAAw
            HQYDVR0OBBYEFH5oPXw2ju3vzpqxnozMjyUZYABXMB8GA1UdIwQYMBaAFBkQ/cBr
            8yYtzRQt/VgJ/GYmSpv+MAoGCCqGSM49BAMCA0cAMEQCIDbSxt17fmQFWV5UFY4d
            daMsIiUY9bCPtpgxDcHCC4yYAiBrXqHsCTdtgabMtaRug92zQzCg9qb/EITv/IeO
            CcpEqw==
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+8gyN9aqARqn+zUy
            NN4N9RHnsHsXFiT4KbYO9pSzEcuhRANCAAQZGgj7qsOeWufRm5d8m4ShzAT1ODjN
            hT7cr8/Mnqv9j7CLFAYN60HWUMRqKCtgIZkIrqUal+P1Kk5aS/TgyriI
            -----END PRIVATE KEY-----
            """)

    /// The names of `host` with an RSA key.
    package static let hostRSA = Identity(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIICfDCCAiKgAwIBAgIUPpZszhjPQH7bPcF48npfqRI47R4wCgYIKoZIzj0EAwIw
            IDEeMBwGA1UEAwwVQ2hhcHBlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyNDE1NDQz
            M1oYDzIxMjYxMDMxMTU0NDMzWjAeMRwwGgYDVQQDDBNjb21tb24uZXhhbXBsZS50
            ZXN0MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAw3HvyjDsvzYw3UxJ
            mISjT4YoKnu5yA+7260J9VkMVRnK1WoLLbnpO6/oCM8useUnW4MRlQ7d0UhfBaDO
            tzEW0DxkUuPmyt75sb67MY7Gng7u4L8h4pqLhzs+vl104XEs9wdscq2OxRs0p4+y
            OHc3PuaD9/q5XBXvdIWaCEzv+A76JQusdnO6X0tVSyfNkETJaF5se+UNHnFsYI2O
            Uow12TvbVfZpdQidX7/VFMBT5wqMVzRPfG915VtO5sgRURai68vtD8oDx2IkNQEU
            S5sGNOPtXaO3TC1kT5EEddPsKLAPgrR4SkZnyCgjJ7OPkMqwgvnjNGmG2p/nSFS8
            JuWg+wIDAQABo28wbTAgBgNVHREEGTAXgg9teC5leGFtcGxlLnRlc3SHBMAAAhkw
            CQYDVR0TBAIwADAdBgNVHQ4EFgQUbuY+ABl/W43VZlIh4g07hXJWYjswHwYDVR0j
            BBgwFoAUGRD9wGvzJi3NFC39WAn8ZiZKm/4wCgYIKoZIzj0EAwIDSAAwRQIhAIP7
            CXQqnh9o92O7AcwSyCuDJVWbGGgttHF2tRoH2WuLAiAq9sdWWj4T/BIK68rFmxxv
            3E70R2+tnut0teomKWDZIQ==
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDDce/KMOy/NjDd
            TEmYhKNPhigqe7nID7vbrQn1WQxVGcrVagstuek7r+gIzy6x5SdbgxGVDt3RSF8F
            oM63MRbQPGRS4+bK3vmxvrsxjsaeDu7gvyHimouHOz6+XXThcSz3B2xyrY7FGzSn
            j7I4dzc+5oP3+rlcFe90hZoITO/4DvolC6x2c7pfS1VLJ82QRMloXmx75Q0ecWxg
            jY5SjDXZO9tV9ml1CJ1fv9UUwFPnCoxXNE98b3XlW07myBFRFqLry+0PygPHYiQ1
            ARRLmwY04+1do7dMLWRPkQR10+wosA+CtHhKRmfIKCMns4+QyrCC+eM0aYban+dI
            VLwm5aD7AgMBAAECggEAA1hQN2CYjdWChwOklxi6C6mYxxnuR0UPYYZTRhegR3qV
            K8JQgWDE0Z97KvG3GBbEbeNzl6e1H70wIpJPWa7cU08LAfIrTNCP/Zhtb1EyvlA0
            Zo/hJ4OenLZAFHD9LHiVCqRwPaVao9LScoW1bYHUQXCNQl9QOdMrI+m/c6HqmuqR
            57g2uOm9cznPVDmvTDXawm4X2Ig51AaGji1taFyibP6zdTS+6gNeECFwnRLN95QV
            jDagdbU992iiJnxedblvpptvKwjTXjKdabdzzo2jUutIi+pYsCnSsSn0gqgnH15C
            6DMa9hyPqGiNmzlYvpdbrgCoo/BMk1uQEYyAVx2BpQKBgQDg/Lv7gHjwMig91TDg
            jqe5/gTjv0x+fWREtjPIYaKe7/1iGDIAKhfnCQEk7G3tUx4fFLJ9HfGTeQml3wOi
            xgaec4X6uyF6wpdWY479hAfe4IoJojE+0hkPL1CmmOEN0c1o7eZ7oK5qhku5en5q
            IyoKIdigBK/UrFxMKayDLFtPJwKBgQDeYrqiJTu0lUi4zL2AswhjIS9DgOVK9vu1
            gDIv9Mhpyd172se51XLB1Sea3P1n6KL0Z+G9S4CErmc/bWjjgm37TEDH83ar5qcP
            R20Dda7dDtx3EAAqZsIeatnp8TVNmZbtbM++VkQRL559+a13eig50ckIXFOrxUa4
            Y9yxgooEDQKBgH58F4KxG0yOJil87VmRWaIquL0BExQZkoE+naYNncsUyLKZP6Lw
            BzgPy+DiOnqtu8VlcWL9ro5mAZKK6hRcl+QEtlHbWlsVgtdCaWUFERevzGrWEDFt
            FEGBLCo80GlghcZz2JuwHd4tWe0QfHlXA49mr85mVCOQMuNumlm0WjEJAoGAGkHZ
            +28d/5JoxbkW3u1Enj+6zuOXLyS+T43VXygtyZ/WENuiHWUAabZ7OKPDH9Ot+eGS
            G8GgaQoWkryeV858oeE8/N7YMi/HpdwvGOt6PAuXKE+xVVBQtzqyhBbAzmrGET55
            wOV6n/TZZ9JlEuhPe5QzglM0ZeGjGf5gfm0FUrkCgYEAhoTWog2S/2UPntsozcY1
            qgk2td6Mvdb4ERi3Y20sXmGyGLp005stHiLeAFD50LUzApFCCS9uKXU5m8Eu6ZDS
            NqoYwg6kpnysYT1bLBVxoFsZ5rWD/pO7uaL/c+w7MCyfyiw6tRtTKbHhbrq6Sggt
            YGMFtvmZhe8hvjRJW0ykTUA=
            -----END PRIVATE KEY-----
            """)

    /// wild.example.test and *.wild.example.test.
    package static let wildcard = Identity(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBwjCCAWmgAwIBAgIUPpZszhjPQH7bPcF48npfqRI47R8wCgYIKoZIzj0EAwIw
            IDEeMBwGA1UEAwwVQ2hhcHBlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyNDE1NDQz
            M1oYDzIxMjYxMDMxMTU0NDMzWjAeMRwwGgYDVQQDDBNjb21tb24uZXhhbXBsZS50
            ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOudGM05UCt9McvxznXVnugIQ
            1m8UrXd9FRTAyb5lZSJe25uFRXqjpoAQMV0io5LB0+0ww3q3+78OGL/5bGK9K6OB
            gDB+MDEGA1UdEQQqMCiCEyoud2lsZC5leGFtcGxlLnRlc3SCEXdpbGQuZXhhbXBs
            ZS50ZXN0MAkGA1UdEwQCMAAwHQYDVR0OBBYEFLKbwh7AdnxWk1WKGRQJJhV9jsPO
            MB8GA1UdIwQYMBaAFBkQ/cBr8yYtzRQt/VgJ/GYmSpv+MAoGCCqGSM49BAMCA0cA
            MEQCIB6aw4MDrg8MkwCxVZ5p3FCH3HzGHoclHA0nxtrbcLC2AiBCFp+a866tcY3W
            u993O57Z9sc2RLu9bEDYMu/NcjjhQw==
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOuSe6PBs/wvvNV+K
            ldp52UVX+WglQJ03Zljw4qgAqp6hRANCAAQ650YzTlQK30xy/HOddWe6AhDWbxSt
            d30VFMDJvmVlIl7bm4VFeqOmgBAxXSKjksHT7TDDerf7vw4Yv/lsYr0r
            -----END PRIVATE KEY-----
            """)

    /// client.example.test and alice@example.test.
    package static let client = Identity(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBxDCCAWqgAwIBAgIUPpZszhjPQH7bPcF48npfqRI47SAwCgYIKoZIzj0EAwIw
            IDEeMBwGA1UEAwwVQ2hhcHBlIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyNDE1NDQz
            M1oYDzIxMjYxMDMxMTU0NDMzWjAeMRwwGgYDVQQDDBNjb21tb24uZXhhbXBsZS50
            ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEe7qA5CPpdSyUOrm97q7JwfzG
            Y0DDctFfV7J7lsna7sUITrHb5VcYdkQ26rS3wYoPMaZi0jC7Gb+c8J7eileCdaOB
            gTB/MDIGA1UdEQQrMCmCE2NsaWVudC5leGFtcGxlLnRlc3SBEmFsaWNlQGV4YW1w
            bGUudGVzdDAJBgNVHRMEAjAAMB0GA1UdDgQWBBSkBHRkV3K560Deo1SEuWY0L14x
            4TAfBgNVHSMEGDAWgBQZEP3Aa/MmLc0ULf1YCfxmJkqb/jAKBggqhkjOPQQDAgNI
            ADBFAiAKzbpJnjgVhKL+Nqj6abn44Y1bGdF717gHtNWqlrU0owIhAKkNEs3/ugxh
            wum2yD1TrqFlH8geiL0sH04j+Uy+i3GM
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvJbSnKpS9eiSZNI1
            HjnlHyptPem3+pyS87+OeOfoGO+hRANCAAR7uoDkI+l1LJQ6ub3ursnB/MZjQMNy
            0V9XsnuWydruxQhOsdvlVxh2RDbqtLfBig8xpmLSMLsZv5zwnt6KV4J1
            -----END PRIVATE KEY-----
            """)

    /// Signed by itself, and claims client.example.test.
    package static let stranger = Identity(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBnDCCAUOgAwIBAgIUaGUu59tWDNYmhmj/h9twyS9ZnVAwCgYIKoZIzj0EAwIw
            EzERMA8GA1UEAwwIc3RyYW5nZXIwIBcNMjYxMTI0MTU0NDMzWhgPMjEyNjEwMzEx
            NTQ0MzNaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0D
            AQcDQgAE3ShToSSBgb7H0mx2DznEruJ6x8QQvKXPlbT+v68CvIi9DGWfK0rQHGfQ
            coJwljlN5EfKino1GlIsL8G6Kz8ET6NzMHEwHQYDVR0OBBYEFJ4ssC5+IUh5Ss+/
            4BahT13U863qMB8GA1UdIwQYMBaAFJ4ssC5+IUh5Ss+/4BahT13U863qMA8GA1Ud
            EwEB/wQFMAMBAf8wHgYDVR0RBBcwFYITY2xpZW50LmV4YW1wbGUudGVzdDAKBggq
            hkjOPQQDAgNHADBEAiB8AglnVgq72iLxrE+1ldq74Er38Ym3D7mzDiU/QJl/XQIg
            eboSdPly7wiuaoe6ig3S4F8fCOdvvcxzbaONCH6uw9A=
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7HHchM/xU60NLGn1
            q10t8xITIeq5o1i0bJ1mj9tiJHWhRANCAATdKFOhJIGBvsfSbHYPOcSu4nrHxBC8
            pc+VtP6/rwK8iL0MZZ8rStAcZ9BygnCWOU3kR8qKejUaUiwvwborPwRP
            -----END PRIVATE KEY-----
            """)
}
