//! Credentials and base URLs.

use super::*;

#[test]
fn auth_in_every_shape() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let auth = |rest: &str| facts(&(get("/things", "[]", &list) + rest)).auth.value;
    let schemes = |schemes: &str, security: &str| {
        auth(&format!(
            "security: {security}\ncomponents: {{securitySchemes: {schemes}}}\n"
        ))
    };
    assert_eq!(
        schemes(
            "{b: {type: http, scheme: basic}, t: {type: http, scheme: bearer}}",
            "[{b: []}, {t: []}]"
        ),
        AuthFacts::Bearer
    );
    let two =
        "{k: {type: apiKey, in: query, name: key}, t: {type: apiKey, in: query, name: token}}";
    let AuthFacts::Keys(keys) = schemes(two, "[{k: []}, {t: []}]") else {
        panic!("no keys")
    };
    assert_eq!(keys.len(), 2);
    let prefixed = "{k: {type: apiKey, in: header, name: Authorization, description: 'Set it to `Acme-Key your-key`'}}";
    let AuthFacts::Keys(keys) = schemes(prefixed, "[{k: []}]") else {
        panic!("no keys")
    };
    assert_eq!(keys[0].prefix, "Acme-Key ");
    assert_eq!(auth(""), AuthFacts::None);
}

#[test]
fn auth_that_no_fixed_key_can_be_is_not_sure() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let rest = "security: [{hmac: []}]\ncomponents: {securitySchemes: {hmac: {type: apiKey, in: header, name: Authorization, description: Signature version 4}}}\n";
    let auth = facts(&(get("/things", "[]", &list) + rest)).auth;
    assert!(auth.confidence < SURE, "{auth:?}");
}

#[test]
fn of_two_oauth_schemes_the_one_that_can_be_renewed_counts() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let rest = "security: [{i: [], c: []}]
components:
  securitySchemes:
    i: {type: oauth2, flows: {implicit: {authorizationUrl: 'https://a.example/auth', scopes: {}}}}
    c: {type: oauth2, flows: {authorizationCode: {authorizationUrl: 'https://a.example/auth', tokenUrl: 'https://a.example/token', scopes: {}}}}
";
    let AuthFacts::OAuth2 {
        flow, token_url, ..
    } = facts(&(get("/things", "[]", &list) + rest)).auth.value
    else {
        panic!("no OAuth")
    };
    assert_eq!(
        (flow.as_str(), token_url.as_str()),
        ("refreshToken", "https://a.example/token")
    );
}

#[test]
fn a_user_and_a_password_buy_a_token_where_nothing_else_does() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let of = |flows: &str| {
        let rest = format!(
            "security: [{{login: []}}]\ncomponents: {{securitySchemes: {{login: {{type: oauth2, flows: {{{flows}}}}}}}}}\n"
        );
        match facts(&(get("/things", "[]", &list) + &rest)).auth.value {
            AuthFacts::OAuth2 {
                flow, token_url, ..
            } => (flow, token_url),
            other => panic!("{other:?}"),
        }
    };
    let password = "password: {tokenUrl: /auth/token, scopes: {}}";
    let named = |flow: &str, url: &str| (flow.to_owned(), url.to_owned());
    assert_eq!(of(password), named("password", "/auth/token"));
    let client = "clientCredentials: {tokenUrl: 'https://a.example/token', scopes: {}}";
    assert_eq!(
        of(&format!("{password}, {client}")),
        named("clientCredentials", "https://a.example/token")
    );
}

#[test]
fn of_two_equal_servers_the_encrypted_one_counts() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let rest = "servers: [{url: 'http://{zone}.example.org/', variables: {zone: {default: eu}}}, {url: 'https://eu.example.org'}]\n";
    let facts = facts(&(get("/things", "[]", &list) + rest));
    assert_eq!(facts.base_url, "https://eu.example.org");
}

#[test]
fn keys_that_only_prose_names() {
    let told = |text: &str| {
        let paths = get("/things", "[]", &format!("{{type: array, items: {ITEM}}}"));
        let text = format!(
            "openapi: 3.0.0\ninfo: {{title: T, version: '1', description: '{text}'}}\npaths:\n{paths}"
        );
        match read_text(&text).auth.value {
            AuthFacts::Keys(keys) => keys[0].name.clone(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(
        told("Send the header `X-Api-Key` with every request."),
        "X-Api-Key"
    );
    assert_eq!(
        told("Call https://a.example/things?api_key=YOURS"),
        "api_key"
    );
    assert_eq!(told("Send a bearer token."), "Bearer");
}

#[test]
fn a_header_and_a_cookie_go_along_and_what_takes_neither_is_said() {
    let text = r##"
openapi: 3.0.0
info: {title: T, version: '1'}
servers:
  - url: https://{region}.example.test/{version}
    variables: {region: {default: eu}, version: {default: v1}}
security: [{app: [], user: []}]
components:
  securitySchemes:
    app: {type: apiKey, in: header, name: X-App-Key}
    user: {type: apiKey, in: cookie, name: session}
    token: {type: http, scheme: bearer}
paths:
  /a: {get: {responses: {'200': {description: ok}}}}
  /b: {get: {responses: {'200': {description: ok}}}}
  /c: {get: {security: [], responses: {'200': {description: ok}}}}
  /d: {get: {security: [{token: []}], responses: {'200': {description: ok}}}}
  /e: {get: {security: [{token: []}, {app: [], user: []}], responses: {'200': {description: ok}}}}
"##;
    let facts = read_text(text);
    let AuthFacts::Keys(keys) = &facts.auth.value else {
        panic!("{:?}", facts.auth);
    };
    let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["X-App-Key", "session"]);
    assert_eq!(keys[1].location, crate::spec::api::Location::Cookie);
    assert_eq!(facts.base_url, "https://eu.example.test/v1");
    let said = facts.auth.reasons.join("; ");
    assert!(said.contains("`/d` needs other credentials"), "{said}");
}
