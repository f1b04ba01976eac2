//! The owner's wishes over what was inferred.

use etlgen_model::{Meaning, Paginator, TimeFormat};

use super::adopt::{adopt, orphan};
use super::overrides::{AuthKind, Incremental, Overrides, ParentOverride, Rate, RateLimit};
use super::select::unknown;
use crate::diagnostics::{Diagnostic, Kind};
use crate::infer::facts::{
    AuthFacts, CursorFacts, Decision, Facts, FixedParameter, PagingSigns, RateFacts,
};
use crate::spec::api::{Api, Location, Operation};

/// Applies what the owner says of an API's meaning.
/// A resource that is none is an error.
pub fn adjust(api: &Api, facts: &mut Facts, overrides: &Overrides) -> Result<(), Diagnostic> {
    for name in overrides.resources.keys() {
        if facts
            .resources
            .iter()
            .all(|resource| resource.name != *name)
        {
            return Err(unknown(facts, name));
        }
    }
    if let Some(kind) = overrides.auth {
        facts.auth = sure(match kind {
            AuthKind::None => AuthFacts::None,
            AuthKind::Bearer => AuthFacts::Bearer,
            AuthKind::Basic => AuthFacts::Basic,
        });
        // An owner who says what the auth is says it of every resource.
        for resource in &mut facts.resources {
            resource.auth = None;
        }
    }
    if let Some(limit) = &overrides.rate_limit {
        let rate = |rate: &Rate| RateFacts {
            requests: rate.requests.get().into(),
            seconds: rate.seconds.get().into(),
            said: "etlgen.toml says so".to_owned(),
        };
        match limit {
            RateLimit::Switch(false) => facts.rates.clear(),
            // What is inferred is on already.
            RateLimit::Switch(true) => {}
            RateLimit::One(one) => facts.rates = vec![rate(one)],
            RateLimit::Several(several) => facts.rates = several.iter().map(rate).collect(),
        }
    }
    if let Some(base_url) = &overrides.base_url {
        facts.base_url.clone_from(base_url);
    }
    for at in 0..facts.resources.len() {
        match overrides
            .resources
            .get(&facts.resources[at].name)
            .and_then(|wish| wish.parent.as_ref())
        {
            Some(ParentOverride::Switch(false)) => orphan(facts, at),
            Some(ParentOverride::Name(name)) => adopt(api, facts, at, name)?,
            _ => {}
        }
    }
    for resource in &mut facts.resources {
        let Some(wish) = overrides.resources.get(&resource.name) else {
            continue;
        };
        if let Some(records) = &wish.records {
            let path = records.trim_start_matches('$').split('.');
            resource.records_path = sure(
                path.filter(|key| !key.is_empty())
                    .map(str::to_owned)
                    .collect(),
            );
        }
        if let Some(key) = &wish.primary_key {
            resource.primary_key = sure(key.clone());
        }
        if let Some(paginate) = &wish.paginate {
            let mut found = paginate.clone();
            let operation = api.operations.get(resource.operation);
            if operation.is_some_and(|operation| is_in_body(operation, &found))
                && let Some(common) = found.common_mut()
            {
                common.in_body = true;
            }
            resource.paginator = sure(found);
            resource.signs = PagingSigns::default();
        }
        match &wish.incremental {
            Some(Incremental::Switch(false)) => resource.cursor = sure(None),
            Some(Incremental::Table(table)) => {
                let found = resource.cursor.value.take();
                if table
                    .template
                    .as_ref()
                    .is_some_and(|text| !text.contains("{}"))
                {
                    return Err(no_place(&resource.name));
                }
                // The expression belongs to its parameter.
                let same = found.as_ref().filter(|found| found.param == table.param);
                let template = table
                    .template
                    .clone()
                    .or_else(|| same.and_then(|found| found.template.clone()));
                let meaning = match table.updated {
                    Some(true) => Meaning::Updated,
                    Some(false) => Meaning::Created,
                    None => match found {
                        Some(found) if found.field == table.field => found.meaning,
                        _ if table.field.contains("creat") => Meaning::Created,
                        _ => Meaning::Updated,
                    },
                };
                resource.cursor = sure(Some(CursorFacts {
                    param: table.param.clone(),
                    until: table.until.clone(),
                    field: table.field.clone(),
                    meaning,
                    format: TimeFormat::AsIs,
                    template,
                }));
            }
            _ => {}
        }
        for (name, value) in &wish.query {
            resource.fixed.retain(|fixed| fixed.name != *name);
            resource.fixed.push(FixedParameter {
                name: name.clone(),
                location: Location::Query,
                value: value.clone(),
                reason: "etlgen.toml".to_owned(),
            });
        }
        let settled = |line: &str| {
            let key = line.split([' ', '=']).next().unwrap_or_default();
            match key {
                "records" => wish.records.is_some(),
                "primary_key" => wish.primary_key.is_some(),
                "paginate" => wish.paginate.is_some(),
                "incremental" => wish.incremental.is_some(),
                "parent" => wish.parent.is_some(),
                _ => false,
            }
        };
        resource.doubts.retain(|doubt| !settled(&doubt.settle));
    }
    Ok(())
}

pub fn sure<T>(value: T) -> Decision<T> {
    Decision {
        value,
        confidence: 1.0,
        reasons: vec!["etlgen.toml says so".to_owned()],
    }
}

/// Whether the parameter that asks for a page can only be a field of the body: it is a POST, and no query knows it.
fn is_in_body(operation: &Operation, found: &Paginator) -> bool {
    let size = found.page_size().map(|size| size.param.as_str());
    let param = found.param().or(size);
    let in_query = |name: &str| {
        let mut parameters = operation.parameters.iter();
        parameters.any(|known| known.location == Location::Query && known.name == name)
    };
    operation.method == "post" && param.is_some_and(|param| !in_query(param))
}

fn no_place(resource: &str) -> Diagnostic {
    let message = format!("the `template` of the resource `{resource}` has no place for the value");
    Diagnostic::error(Kind::Overrides, message)
        .with_hint("write `{}` where the value belongs: template = \"updated>={}\"")
}
