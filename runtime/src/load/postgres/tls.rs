//! TLS to a database server, by rustls.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Tls;
use crate::error::{Error, ErrorKind, Result};

/// Returns what opens a TLS connection.
pub fn connector(tls: &Tls) -> Result<MakeRustlsConnect> {
    let refuse = |error: rustls::Error| {
        Error::new(ErrorKind::System, "TLS cannot be set up").caused_by(error)
    };
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone());
    let config = config
        .with_safe_default_protocol_versions()
        .map_err(refuse)?;
    let config = match tls {
        Tls::Unchecked => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unchecked(provider))),
        Tls::Checked(Some(file)) => config.with_root_certificates(roots(file)?),
        Tls::Checked(None) => config.with_platform_verifier().map_err(refuse)?,
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn roots(file: &Path) -> Result<RootCertStore> {
    let cannot = |error| {
        let message = format!("cannot read the certificates of `{}`", file.display());
        Error::new(ErrorKind::Usage, message).caused_by(error)
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|e| cannot(e.to_string()))? {
        let certificate = certificate.map_err(|error| cannot(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| cannot(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(cannot("it has none".to_owned())),
        false => Ok(roots),
    }
}

/// Accepts every certificate, as `sslmode=require` of libpq does: the connection is encrypted, and the server may be
/// anyone.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
