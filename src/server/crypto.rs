//! The one crypto provider of the process.

/// Makes ring the crypto provider of every TLS connection, unless a program that embeds us has chosen another.
///
/// To be called before anything makes a TLS configuration.
pub fn install_crypto() {
    // The error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
