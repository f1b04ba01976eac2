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
fn two_schemes_of_one_header_are_one_setting() {
    let key = "k: {type: apiKey, in: header, name: Authorization}";
    let both = format!("{key}, {TOKEN}");
    let auth = accepting("[{k: [], t: []}]", &both, "").auth;
    assert_eq!(auth.value, AuthFacts::Bearer);
    let twice =
        "k: {type: apiKey, in: header, name: X-Key}, l: {type: apiKey, in: header, name: x-key}";
    let AuthFacts::Keys(keys) = accepting("[{k: [], l: []}]", twice, "").auth.value else {
        panic!("no keys")
    };
    assert_eq!(keys.len(), 1);
}

#[test]
fn a_server_without_a_scheme_is_encrypted() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let facts =
        facts(&(get("/things", "[]", &list) + "servers: [{url: '//api.example.org/v1/'}]\n"));
    assert_eq!(facts.base_url, "https://api.example.org/v1");
}

#[test]
fn headers_of_all_operations_that_hold_keys() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let auth = |headers: &str| {
        facts(&get("/things", &format!("[{headers}]"), &list))
            .auth
            .value
    };
    let header = |name: &str, more: &str| {
        format!("{{name: {name}, in: header, schema: {{type: string}}, {more}}}")
    };
    let names = |auth: AuthFacts| match auth {
        AuthFacts::Keys(keys) => keys.into_iter().map(|key| key.name).collect(),
        _ => Vec::new(),
    };
    let required = "required: true";
    for name in ["X-Acme-Site-Token", "Acme-Key", "X-Acme-Secret"] {
        assert_eq!(names(auth(&header(name, required))), [name]);
        assert_eq!(names(auth(&header(name, "required: false"))), [""; 0]);
    }
    let told = "description: The token that authenticates the site";
    assert_eq!(names(auth(&header("X-Site-Token", told))), ["X-Site-Token"]);
    for name in [
        "Idempotency-Key",
        "X-Page-Token",
        "X-CSRF-Token",
        "Accept-Language",
    ] {
        assert_eq!(auth(&header(name, required)), AuthFacts::None, "{name}");
    }
    for name in ["xapikey", "X-Auth-Token", "token"] {
        assert_eq!(names(auth(&header(name, "required: false"))), [name]);
    }
    let both =
        |more: &str| [header("X-App-Key", required), header("X-User-Token", more)].join(", ");
    assert_eq!(names(auth(&both(required))), ["X-App-Key", "X-User-Token"]);
    let told = "description: The access token of a user";
    assert_eq!(names(auth(&both(told))), ["X-App-Key"]);
    // A header and a parameter of the query are two ways to send one key.
    let query = "{name: api_key, in: query, required: true, schema: {type: string}}";
    let either = [header("X-Api-Key", required).as_str(), query].join(", ");
    assert_eq!(names(auth(&either)), ["X-Api-Key"]);
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

/// Infers the credentials of an API that accepts some security, with the paths and the schemes.
fn accepting(security: &str, schemes: &str, paths: &str) -> Facts {
    let list = format!("{{type: array, items: {ITEM}}}");
    let rest = format!("security: {security}\ncomponents: {{securitySchemes: {{{schemes}}}}}\n");
    facts(&(get("/things", "[]", &list) + paths + &rest))
}

const PASSWORD: &str = "p: {type: oauth2, flows: {password: {tokenUrl: /auth/token, scopes: {}}}}";
const CLIENT: &str = "c: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://a.example/token', scopes: {}}}}";
const PERSON: &str = "o: {type: oauth2, flows: {authorizationCode: {authorizationUrl: 'https://a.example/auth', tokenUrl: 'https://a.example/token', scopes: {}}}}";
const TOKEN: &str = "t: {type: http, scheme: bearer}";

#[test]
fn a_token_that_can_be_fetched_serves_as_well_as_one_that_is_brought() {
    for (scheme, flow) in [
        (PASSWORD, "password"),
        (CLIENT, "clientCredentials"),
        (PERSON, "refreshToken"),
    ] {
        let name = &scheme[..1];
        for security in [
            format!("[{{{name}: []}}, {{t: []}}]"),
            format!("[{{t: []}}, {{{name}: []}}]"),
        ] {
            let auth = accepting(&security, &format!("{scheme}, {TOKEN}"), "").auth;
            let AuthFacts::Either { renewed, token } = auth.value else {
                panic!("{flow}: {auth:?}");
            };
            assert_eq!(*token, AuthFacts::Bearer);
            assert!(
                matches!(&*renewed, AuthFacts::OAuth2 { flow: found, .. } if found == flow),
                "{renewed:?}"
            );
        }
    }
    // Of several, a client comes before a user, and a user before a token that a person obtains.
    let schemes = format!("{PERSON}, {PASSWORD}, {CLIENT}, {TOKEN}");
    let auth = accepting("[{t: []}, {o: []}, {p: []}, {c: []}]", &schemes, "").auth;
    let AuthFacts::Either { renewed, .. } = auth.value else {
        panic!("{auth:?}");
    };
    assert!(
        matches!(&*renewed, AuthFacts::OAuth2 { flow, .. } if flow == "clientCredentials"),
        "{renewed:?}"
    );
}

#[test]
fn a_flow_without_a_usable_token_url_fetches_nothing() {
    for url in ["''", "'{host}/token'", "'<your host>/token'"] {
        let scheme = format!(
            "p: {{type: oauth2, flows: {{password: {{tokenUrl: {url}, scopes: {{}}}}}}}}, {TOKEN}"
        );
        let auth = accepting("[{p: []}, {t: []}]", &scheme, "").auth;
        assert_eq!(auth.value, AuthFacts::Bearer, "{url}");
    }
}

/// Writes a login with the properties of its body and of its response.
fn login_at(path: &str, required: &str, body: &str, response: &str) -> String {
    format!(
        "  {path}:\n    post:\n      security: []\n      requestBody: {{content: {{application/json: {{schema: {{type: object, required: {required}, properties: {{{body}}}}}}}}}}}\n      \
         responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{type: object, properties: {{{response}}}}}}}}}}}}}\n"
    )
}

const NAMED: &str = "username: {type: string}, password: {type: string}";
const GIVEN: &str = "access_token: {type: string}, refresh_token: {type: string}";

#[test]
fn a_login_of_the_document_fetches_the_token() {
    let body = format!(
        "{NAMED}, provider: {{type: string, enum: [db, ldap], example: db}}, refresh: {{type: boolean}}"
    );
    let path = login_at("/security/login", "[]", &body, GIVEN);
    let auth = accepting("[{t: []}]", TOKEN, &path).auth;
    let AuthFacts::Either { renewed, token } = &auth.value else {
        panic!("{auth:?}");
    };
    assert_eq!(**token, AuthFacts::Bearer);
    let AuthFacts::Login(login) = &**renewed else {
        panic!("{renewed:?}");
    };
    assert_eq!(login.path, "/security/login");
    assert_eq!(
        (login.user.as_str(), login.password.as_str()),
        ("username", "password")
    );
    assert_eq!(login.fixed, [("provider".to_owned(), "db".into())]);
    assert_eq!(
        (login.token.as_str(), &login.header),
        ("access_token", &None)
    );
}

#[test]
fn a_login_may_have_objects_and_a_header_of_its_own() {
    let body =
        "user: {type: object, properties: {email: {type: string}, password: {type: string}}}";
    let given = "data: {type: object, properties: {token: {type: string}}}";
    let path = login_at("/sessions", "[user]", body, given);
    let scheme = "k: {type: apiKey, in: header, name: X-Session-Token}";
    let auth = accepting("[{k: []}]", scheme, &path).auth;
    let AuthFacts::Either { renewed, .. } = &auth.value else {
        panic!("{auth:?}");
    };
    let AuthFacts::Login(login) = &**renewed else {
        panic!("{renewed:?}");
    };
    assert_eq!(
        (login.user.as_str(), login.password.as_str()),
        ("user.email", "user.password")
    );
    assert_eq!(login.token, "data.token");
    let header = ("X-Session-Token".to_owned(), String::new());
    assert_eq!(login.header, Some(header));
}

#[test]
fn what_is_not_clear_is_no_login() {
    let login = |path: &str| login_at(path, "[]", NAMED, GIVEN);
    let code = format!("{NAMED}, code: {{type: string}}");
    let key = "k: {type: apiKey, in: header, name: X-Api-Key}";
    for (what, scheme, paths) in [
        (
            "two logins",
            TOKEN,
            login("/login") + &login("/admin/login"),
        ),
        (
            "a value that nobody knows",
            TOKEN,
            login_at("/login", "[code]", &code, GIVEN),
        ),
        ("a path with a parameter", TOKEN, login("/{tenant}/login")),
        ("a new user", TOKEN, login("/users")),
        ("a key of another kind", key, login("/login")),
    ] {
        let security = format!("[{{{}: []}}]", &scheme[..1]);
        let auth = accepting(&security, scheme, &paths).auth;
        assert!(
            !matches!(auth.value, AuthFacts::Either { .. }),
            "{what}: {auth:?}"
        );
    }
}
