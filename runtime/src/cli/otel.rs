//! Sends the spans of a run to an OpenTelemetry collector over HTTP, if the environment names one.

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::{Error, ErrorKind, Result};

/// An active export; dropping it sends the remaining spans.
pub struct Export(SdkTracerProvider);

impl Export {
    /// Starts the export; `None` if neither `OTEL_EXPORTER_OTLP_ENDPOINT` nor
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set. The other variables of OpenTelemetry
    /// (`OTEL_SERVICE_NAME`, `OTEL_EXPORTER_OTLP_HEADERS`, …) have their usual meaning.
    pub fn start(name: &str, version: &str) -> Result<Option<Self>> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !is_set("OTEL_EXPORTER_OTLP_ENDPOINT") && !is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            return Ok(None);
        }
        let failed = |error: &dyn std::fmt::Display| {
            Error::new(
                ErrorKind::Usage,
                format!("the traces cannot be sent: {error}"),
            )
            .hint("check OTEL_EXPORTER_OTLP_ENDPOINT, or unset it")
        };
        crate::world::install_tls();
        let exporter = SpanExporter::builder().with_http().build();
        let exporter = exporter.map_err(|error| failed(&error))?;
        let mut service = Resource::builder()
            .with_attribute(KeyValue::new("service.version", version.to_owned()));
        if !is_set("OTEL_SERVICE_NAME") {
            service = service.with_service_name(name.to_owned());
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(service.build())
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("etlgen"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            // The exporter's own requests must not be exported.
            .with_filter(filter_fn(|span| span.target().starts_with("etlgen")));
        let installed = tracing_subscriber::registry().with(layer).try_init();
        installed.map_err(|error| failed(&error))?;
        Ok(Some(Export(provider)))
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // A collector that does not answer is not an error of the run.
        let _ = self.0.shutdown();
    }
}
