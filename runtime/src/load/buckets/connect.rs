//! Makes the client of a service, with credentials from the environment.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::multipart::MultipartStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::address::{Address, Service, is_http};
use super::profile;
use super::variables::Variables;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::Secret;

/// A bucket of a service.
pub trait Objects: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Objects for T {}

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How long a service that refuses or does not answer is asked again.
const RETRY: Duration = Duration::from_secs(120);

/// A bucket, and the secrets that open it.
pub struct Connected {
    pub objects: Arc<dyn Objects>,
    pub secrets: Vec<Secret>,
}

/// Makes the client; asks nothing yet.
pub fn connect(address: &Address, variables: &Variables) -> Result<Connected> {
    // Also `http` needs it: the library makes one client for both.
    crate::world::install_tls();
    let mut secrets = variables.secrets();
    let objects: Arc<dyn Objects> = match address.service {
        Service::S3 => Arc::new(s3(address, variables, &mut secrets)?),
        Service::Google => Arc::new(google(address, variables)?),
        Service::Azure => Arc::new(azure(address, variables)?),
    };
    Ok(Connected { objects, secrets })
}

fn s3(
    address: &Address,
    variables: &Variables,
    secrets: &mut Vec<Secret>,
) -> Result<object_store::aws::AmazonS3> {
    use AmazonS3ConfigKey::{AccessKeyId, Endpoint, Region, S3Endpoint, SecretAccessKey};
    let mut builder = AmazonS3Builder::new();
    for (name, value) in variables.settings("AWS_") {
        if let Ok(key) = name.parse() {
            builder = builder.with_config(key, value);
        }
    }
    let there = |name: &str| variables.get(name).is_some();
    let by_environment = builder.get_config_value(&AccessKeyId).is_some()
        || builder.get_config_value(&SecretAccessKey).is_some();
    let by_identity = there("AWS_WEB_IDENTITY_TOKEN_FILE") && there("AWS_ROLE_ARN");
    if !by_environment && (there("AWS_PROFILE") || !by_identity) {
        let profile = profile::read(variables)?;
        if let Some((id, secret, token)) = profile.keys {
            builder = builder
                .with_access_key_id(id)
                .with_secret_access_key(&secret);
            secrets.push(Secret::new(secret));
            if let Some(token) = token {
                builder = builder.with_token(&token);
                secrets.push(Secret::new(token));
            }
        }
        if let (None, Some(region)) = (builder.get_config_value(&Region), profile.region) {
            builder = builder.with_region(region);
        }
    }
    if let Some(region) = &address.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_config(S3Endpoint, endpoint);
    }
    let endpoint = builder.get_config_value(&S3Endpoint);
    let endpoint = endpoint.or_else(|| builder.get_config_value(&Endpoint));
    let http = endpoint.as_deref().map_or(Ok(false), is_http)?;
    builder
        .with_bucket_name(&address.bucket)
        .with_client_options(options(http))
        .with_retry(retry())
        .build()
        .map_err(unusable)
}

fn google(
    address: &Address,
    variables: &Variables,
) -> Result<object_store::gcp::GoogleCloudStorage> {
    let mut builder = GoogleCloudStorageBuilder::new();
    for (name, value) in variables.settings("GOOGLE_") {
        if let Ok(key) = name.parse() {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(path) = variables.get("SERVICE_ACCOUNT") {
        builder = builder.with_service_account_path(path);
    }
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_config(GoogleConfigKey::BaseUrl, endpoint);
    }
    let endpoint = builder.get_config_value(&GoogleConfigKey::BaseUrl);
    let http = endpoint.as_deref().map_or(Ok(false), is_http)?;
    builder
        .with_bucket_name(&address.bucket)
        .with_client_options(options(http))
        .with_retry(retry())
        .build()
        .map_err(unusable)
}

fn azure(address: &Address, variables: &Variables) -> Result<object_store::azure::MicrosoftAzure> {
    let mut builder = MicrosoftAzureBuilder::new();
    for (name, value) in variables.settings("AZURE_") {
        if let Ok(key) = name.parse() {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(account) = &address.account {
        builder = builder.with_account(account);
    }
    if builder
        .get_config_value(&AzureConfigKey::AccountName)
        .is_none()
    {
        let message = "the storage account is not known";
        return Err(Error::new(ErrorKind::Usage, message).hint(
            "write `az://CONTAINER/PREFIX?account=ACCOUNT`, or set AZURE_STORAGE_ACCOUNT_NAME",
        ));
    }
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    let endpoint = builder.get_config_value(&AzureConfigKey::Endpoint);
    let http = endpoint.as_deref().map_or(Ok(false), is_http)?;
    builder
        .with_container_name(&address.bucket)
        .with_client_options(options(http))
        .with_retry(retry())
        .build()
        .map_err(unusable)
}

fn options(http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(http)
        .with_timeout(TIMEOUT)
        .with_connect_timeout(Duration::from_secs(10))
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 10,
        retry_timeout: RETRY,
    }
}

fn unusable(error: object_store::Error) -> Error {
    Error::new(ErrorKind::Usage, "the bucket cannot be addressed")
        .caused_by(error)
        .hint("check the URL and the variables of the environment: docs/destinations.md")
}
