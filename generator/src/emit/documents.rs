//! Emits the files that are not Rust.

use crate::diagnostics::toml_string as quoted;
use etlgen_model::Paginator;
use etlgen_templates::{
    CargoToml, CiYml, Dockerfile, Dockerignore, DoubtRow, EtlgenToml, FeatureRow, Gitattributes,
    Gitignore, LICENSE_APACHE, LicenseMit, Readme, ResourceRow, SettingRow, Template,
};
use serde_json::Value;

use super::crate_root::exemplary;
use super::{Context, EtlgenToml as Config, Files};
use crate::overrides::{Ci, feature};
use crate::plan::{
    Cursor, Feature, FieldRef, Format, Plan, Resource, Setting, markdown, plain_text,
};

/// The version of this etlgen, which is also that of the runtime.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Emits `Cargo.toml`, `README.md`, `etlgen.toml`, the files for git and registries, and the data
/// of the tests.
pub fn documents(plan: &Plan, context: &Context) -> Result<Files, etlgen_templates::Error> {
    let mut files = Files::new();
    files.insert("Cargo.toml".into(), cargo_toml(plan, context)?);
    files.insert("README.md".into(), readme(plan, context)?);
    let etlgen_toml = match &context.etlgen_toml {
        Config::Kept(text) => text.clone(),
        Config::First(lines) => etlgen_toml(plan, &context.spec, lines)?,
    };
    files.insert("etlgen.toml".into(), etlgen_toml);
    let source = &plan.source;
    files.insert(".gitignore".into(), Gitignore { source }.render()?);
    files.insert(".gitattributes".into(), Gitattributes.render()?);
    files.extend(package(plan, context)?);
    for resource in &plan.resources {
        let mut data = |folder: &str, value: &Value| {
            let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
            text.push('\n');
            files.insert(format!("tests/{folder}/{}.json", resource.name), text);
        };
        if !resource.examples.is_empty() {
            data("examples", &Value::Array(resource.examples.clone()));
        }
        if let Some(exchange) = &resource.exchange {
            data("exchange", exchange);
        }
    }
    Ok(files)
}

/// Emits the licences, the workflow and the Dockerfile.
fn package(plan: &Plan, context: &Context) -> Result<Files, etlgen_templates::Error> {
    let mut files = Files::new();
    let (package, crate_name) = (&context.package, plan.crate_name.as_str());
    if package.texts.mit {
        files.insert("LICENSE-MIT".into(), LicenseMit { crate_name }.render()?);
    }
    if package.texts.apache {
        files.insert("LICENSE-APACHE".into(), LICENSE_APACHE.to_owned());
    }
    if let Some(Ci::Github) = package.ci {
        let workflow = CiYml {
            // A document at a URL changes independently of this repository, which must not fail its checks.
            check: !context.spec.contains("://"),
            version: VERSION,
        };
        files.insert(".github/workflows/ci.yml".into(), workflow.render()?);
    }
    if package.docker {
        let source = &plan.source;
        let image = Dockerfile { crate_name, source };
        files.insert("Dockerfile".into(), image.render()?);
        files.insert(".dockerignore".into(), Dockerignore.render()?);
    }
    Ok(files)
}

/// Returns the keywords for a registry. crates.io accepts words of up to 20 letters.
fn keywords(plan: &Plan) -> String {
    let own = (plan.source.len() <= 20).then_some(plan.source.as_str());
    let words = own.into_iter().chain(["etl", "connector", "openapi"]);
    let words: Vec<String> = words.map(quoted).collect();
    format!("[{}]", words.join(", "))
}

fn cargo_toml(plan: &Plan, context: &Context) -> Result<String, etlgen_templates::Error> {
    let runtime = &context.runtime;
    let version = quoted(&runtime.version);
    let path = runtime.path.as_ref();
    let path = path.map(|path| format!(", path = {}", quoted(path)));
    let is_csv = |resource: &Resource| resource.format == Format::Csv;
    let csv = plan.resources.iter().any(is_csv).then_some("csv");
    let destinations = context.destinations.clone();
    // The features are listed if the crate leaves out destinations.
    let defaults = destinations
        .is_some()
        .then_some(", default-features = false");
    let chosen = destinations.map(|chosen| {
        let mut features = vec!["cli", "tls"];
        features.extend(chosen.into_iter().map(feature));
        features.dedup();
        features
    });
    let hosts = context.hosts.iter().copied();
    let extra = chosen.unwrap_or_default().into_iter().chain(hosts);
    let extra = extra.chain(csv);
    let extra: Vec<String> = extra.map(quoted).collect();
    let extra = (!extra.is_empty()).then(|| format!(", features = [{}]", extra.join(", ")));
    let runtime = match (path, extra) {
        (None, None) => version,
        (path, extra) => format!(
            "{{ version = {version}{}{}{} }}",
            path.unwrap_or_default(),
            defaults.unwrap_or_default(),
            extra.unwrap_or_default()
        ),
    };
    CargoToml {
        name: &quoted(&plan.crate_name),
        description: &quoted(&format!(
            "Loads data of the {} into a database or files, or streams it as typed records",
            plan.title
        )),
        license: &quoted(&context.package.license),
        repository: context.package.repository.as_deref().map(quoted).as_deref(),
        documentation: &quoted(&format!("https://docs.rs/{}", plan.crate_name)),
        rust_version: &quoted(env!("CARGO_PKG_RUST_VERSION")),
        keywords: &keywords(plan),
        spec: &quoted(&context.spec),
        runtime: &runtime,
        own_workspace: context.own_workspace,
        features: &features(plan),
        example_feature: exemplary(plan)
            .and_then(|resource| resource.feature.as_deref())
            .map(quoted)
            .as_deref(),
    }
    .render()
}

/// Returns each feature with the features that it needs and an example of its resources.
fn features(plan: &Plan) -> Vec<FeatureRow> {
    let row = |feature: &Feature| {
        let needs: Vec<String> = feature.needs.iter().map(|name| quoted(name)).collect();
        let mut resources = plan.resources.iter();
        FeatureRow {
            name: feature.name.clone(),
            needs: format!("[{}]", needs.join(", ")),
            example: resources
                .find(|resource| resource.feature.as_deref() == Some(&feature.name))
                .map(|resource| cell(&resource.name))
                .unwrap_or_default(),
        }
    };
    plan.features.iter().map(row).collect()
}

fn etlgen_toml(
    plan: &Plan,
    spec: &str,
    lines: &[(&str, String)],
) -> Result<String, etlgen_templates::Error> {
    let doubts: Vec<DoubtRow> = plan
        .resources
        .iter()
        .filter(|resource| !resource.doubts.is_empty())
        .map(|resource| DoubtRow {
            header: format!("resources.{}", resource.name),
            lines: resource
                .doubts
                .iter()
                .map(|(question, line)| (plain_text(question), one_line(line)))
                .collect(),
        })
        .collect();
    EtlgenToml {
        spec: &quoted(spec),
        lines,
        doubts: &doubts,
    }
    .render()
}

fn readme(plan: &Plan, context: &Context) -> Result<String, etlgen_templates::Error> {
    let settings: Vec<SettingRow> = plan
        .settings
        .iter()
        .map(|setting| setting_row(plan, setting))
        .collect();
    let resources: Vec<ResourceRow> = plan.resources.iter().map(resource_row).collect();
    let chosen = context.destinations.as_ref();
    let can_load = |place: &str| chosen.is_none_or(|chosen| chosen.contains(&place));
    Readme {
        crate_name: &plan.crate_name,
        source: &plan.source,
        title: &markdown(&plan.title),
        description: &plan.description,
        settings: &settings,
        resources: &resources,
        features: &features(plan),
        docker: context.package.docker,
        sqlite: can_load("sqlite"),
        parquet: can_load("parquet"),
        postgres: chosen.is_some_and(|chosen| chosen.contains(&"postgres")),
        duckdb: chosen.is_some_and(|chosen| chosen.contains(&"duckdb")),
        ducklake: chosen.is_some_and(|chosen| chosen.contains(&"ducklake")),
        bucket: chosen.and_then(|chosen| {
            let bucket = chosen.iter().find(|place| feature(place) == "buckets");
            bucket.copied()
        }),
        namespace: &plan.prefix.to_lowercase(),
        singer: context.hosts.contains(&"singer"),
        airbyte: context.hosts.contains(&"airbyte"),
        shared_pages: plan.pages.is_some(),
    }
    .render()
}

fn setting_row(plan: &Plan, setting: &Setting) -> SettingRow {
    SettingRow {
        name: setting.ident.trim_start_matches("r#").to_owned(),
        secret: setting.secret,
        flag: format!("--{}", etlgen_model::flag(&setting.ident)),
        variable: format!("{}_{}", plan.prefix, setting.ident.to_uppercase()),
        help: setting.doc.replace('|', "\\|"),
        need: match (&setting.default, setting.optional) {
            (Some(default), _) => format!("`{}`", code(default)),
            (None, true) => "optional".to_owned(),
            (None, false) => "required".to_owned(),
        },
    }
}

fn resource_row(resource: &Resource) -> ResourceRow {
    let method = if resource.post { "POST" } else { "GET" };
    let keys: Vec<String> = resource.key.iter().map(field_name).collect();
    ResourceRow {
        name: cell(&resource.name),
        endpoint: code(&format!("{method} {}", resource.path)),
        key: cell(&keys.join(", ")),
        pages: cell(&pages(&resource.paginator)),
        cursor: cell(&resource.cursor.as_ref().map(cursor).unwrap_or_default()),
        parent: cell(
            resource
                .parent
                .as_ref()
                .map_or("", |parent| &parent.resource),
        ),
    }
}

fn field_name(field: &FieldRef) -> String {
    match field {
        FieldRef::Path(path) => path.clone(),
        FieldRef::Handle { constant, .. } => constant.to_lowercase(),
    }
}

fn pages(paginator: &Paginator) -> String {
    match paginator {
        Paginator::Single => "one".to_owned(),
        Paginator::Undecided => "undecided".to_owned(),
        Paginator::LastId(it) => format!("last id ({})", it.param),
        Paginator::PageNumber(it) => format!("page number ({})", it.param),
        Paginator::Offset(it) => format!("offset ({})", it.param),
        Paginator::Token(it) => format!("token ({})", it.param),
        Paginator::LinkHeader(_) => "Link header".to_owned(),
        Paginator::NextUrl(_) => "next URL".to_owned(),
    }
}

fn cursor(cursor: &Cursor) -> String {
    let field = field_name(&cursor.field);
    match (&cursor.param, cursor.is_incremental()) {
        (Some(param), true) => format!("{field} ({param})"),
        (Some(param), false) => format!("{field} ({param}), read in full"),
        (None, _) => format!("{field}, read in full"),
    }
}

/// Escapes text for a cell of a markdown table.
fn cell(text: &str) -> String {
    markdown(&plain_text(text)).replace('|', "\\|")
}

/// Escapes text between backticks in a cell of a markdown table.
fn code(text: &str) -> String {
    plain_text(text).replace('|', "\\|")
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
