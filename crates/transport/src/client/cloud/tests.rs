use std::path::Path;

use http::header::CONTENT_TYPE;
use runtime::{Disk, Simulation};

use super::{World, azure, google};
use crate::client::{Azure, AzureCertificate, AzureIdentity, Google, Request, Result};

fn world(simulation: &Simulation, files: &[(&str, &str)]) -> World {
    let disk: &dyn Disk = &simulation.disk;
    for (path, text) in files {
        let path = Path::new(path);
        let parent = path.parent().expect("it has one");
        disk.create_directories(parent).expect("memory has room");
        disk.write_atomically(path, text.as_bytes()).expect("memory has room");
    }
    World { runtime: simulation.runtime(), environment: |_| None }
}

/// Method, address and form, texts that are new each time left out.
fn printed(request: Result<Request>) -> String {
    let request = match request {
        Ok(request) => request,
        Err(error) => return error.to_string(),
    };
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let body: Vec<&str> = body.split("assertion=").collect();
    let body = match body[..] {
        [first, signed] if signed.len() > 100 => format!("{first}assertion=…"),
        _ => body.join("assertion="),
    };
    let names: Vec<&str> =
        request.headers.keys().filter(|name| *name != CONTENT_TYPE).map(|n| n.as_str()).collect();
    format!("{} {} {} {body}", request.method, request.url, names.join(","))
}

fn azure_with(identity: AzureIdentity) -> Azure {
    Azure {
        authority: "https://login.microsoftonline.com".to_owned(),
        scope: "https://monitor.azure.com//.default".to_owned(),
        identity,
    }
}

/// A certificate and its key, both of which anybody may know.
fn certificate() -> (String, String) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("keys can be made");
    let params = rcgen::CertificateParams::new(vec!["here".to_owned()]).expect("a good name");
    let certificate = params.self_signed(&key).expect("it can be signed");
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn microsofts_cloud_is_asked_in_each_way() {
    let simulation = Simulation::new(1);
    let (certificate, key) = certificate();
    let files = [("/var/token", "token\n"), ("/c.pem", &*certificate), ("/k.pem", &*key)];
    let mut world = world(&simulation, &files);
    let machine = "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01\
                   &resource=https%3A%2F%2Fmonitor.azure.com%2F";
    let post = "POST https://login.microsoftonline.com/tenant/oauth2/v2.0/token  \
                grant_type=client_credentials&client_id=me\
                &scope=https%3A%2F%2Fmonitor.azure.com%2F%2F.default";
    let asserted = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A\
                    jwt-bearer&client_assertion";
    let me = || "me".to_owned();
    let tenant = || "tenant".to_owned();
    let check = |world: &World, identity: AzureIdentity, expected: String| {
        assert_eq!(printed(azure::request(&azure_with(identity), world)), expected);
    };
    let managed = |client_id: String| AzureIdentity::Managed { client_id };
    check(&world, managed(String::new()), format!("{machine} metadata "));
    check(&world, managed(me()), format!("{machine}&client_id=me metadata "));
    let workload = |token_file: &str| AzureIdentity::Workload {
        client_id: me(),
        tenant_id: tenant(),
        token_file: token_file.to_owned(),
    };
    check(&world, workload("/var/token"), format!("{post}&{asserted}=token"));
    let missing = printed(azure::request(&azure_with(workload("/none")), &world));
    assert!(missing.contains("/none"), "{missing}");
    let certificate = |path: &str| {
        AzureIdentity::Certificate(AzureCertificate {
            client_id: me(),
            tenant_id: tenant(),
            path: path.to_owned(),
            key_path: "/k.pem".to_owned(),
            send_chain: true,
        })
    };
    check(&world, certificate("/c.pem"), format!("{post}&{asserted}=…"));
    let missing = printed(azure::request(&azure_with(certificate("/k.pem")), &world));
    assert!(missing.contains("there is no certificate in it"), "{missing}");
    let environment = || AzureIdentity::Environment { tenant_id: String::new() };
    check(&world, environment(), format!("{machine} metadata "));
    world.environment = |name| match name {
        "AZURE_TENANT_ID" => Some("tenant".to_owned()),
        "AZURE_CLIENT_ID" => Some("me".to_owned()),
        "AZURE_CLIENT_SECRET" => Some("s s".to_owned()),
        _ => None,
    };
    check(&world, environment(), format!("{post}&client_secret=s+s"));
    world.environment = |name| match name {
        "AZURE_TENANT_ID" => Some("tenant".to_owned()),
        "AZURE_CLIENT_ID" => Some("me".to_owned()),
        "AZURE_FEDERATED_TOKEN_FILE" => Some("/var/token".to_owned()),
        _ => None,
    };
    check(&world, environment(), format!("{post}&{asserted}=token"));
}

#[test]
fn googles_cloud_is_asked_as_a_file_or_the_machine_says() {
    let simulation = Simulation::new(1);
    let (_, key) = certificate();
    let account = serde_json::json!({
        "type": "service_account",
        "client_email": "me@there",
        "private_key": key,
        "private_key_id": "1",
        "token_uri": "https://there/token",
    });
    let user =
        r#"{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}"#;
    let home = "/home/.config/gcloud/application_default_credentials.json";
    let files = [("/account.json", account.to_string()), (home, user.to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, &**text)).collect();
    let mut world = world(&simulation, &files);
    let ask = |world: &World, file: &str| {
        let scope = "https://www.googleapis.com/auth/monitoring.write".to_owned();
        printed(google::request(&Google { credentials_file: file.into(), scope }, world))
    };
    let signed = "POST https://there/token  grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A\
                  jwt-bearer&assertion=…";
    let machine = "GET http://metadata.google.internal/computeMetadata/v1/instance/\
                   service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2F\
                   monitoring.write metadata-flavor ";
    assert_eq!(ask(&world, "/account.json"), signed);
    assert_eq!(ask(&world, ""), machine);
    assert!(ask(&world, "/none").contains("/none"));
    world.environment = |name| (name == "HOME").then(|| "/home".to_owned());
    let refreshed = "POST https://oauth2.googleapis.com/token  grant_type=refresh_token&client_id=i\
                     &client_secret=s&refresh_token=r";
    assert_eq!(ask(&world, ""), refreshed);
    world.environment =
        |name| (name == "GOOGLE_APPLICATION_CREDENTIALS").then(|| "/account.json".to_owned());
    assert_eq!(ask(&world, ""), signed);
}
