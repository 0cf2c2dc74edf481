//! Authentication that only some clouds know: AWS, Azure, Google.

pub use crate::http::SigV4;
use crate::{
    decode::{Broken, Section},
    record,
    values::Secret,
};

record! {
    /// Azure Active Directory, by exactly one of five ways.
    pub struct AzureAd: "azuread.plain" {
        managed_identity: Option<ManagedIdentity>,
        workload_identity: Option<WorkloadIdentity>,
        oauth: Option<AzureOAuth>,
        sdk: Option<AzureSdk>,
        certificate: Option<AzureCertificate>,
        cloud: String,
        scope: String,
    }
}

record! {
    pub struct ManagedIdentity: "azuread.ManagedIdentityConfig" {
        client_id: String,
    }
}

record! {
    pub struct WorkloadIdentity: "azuread.WorkloadIdentityConfig" {
        client_id: String,
        tenant_id: String,
        token_file_path: String,
    }
}

record! {
    pub struct AzureOAuth: "azuread.OAuthConfig" {
        client_id: String,
        client_secret: Secret,
        tenant_id: String,
    }
}

record! {
    pub struct AzureSdk: "azuread.SDKConfig" {
        tenant_id: String,
    }
}

record! {
    pub struct AzureCertificate: "azuread.CertificateConfig" {
        client_id: String,
        tenant_id: String,
        certificate_path: String,
        certificate_key_path: String,
        certificate_password: Secret,
        send_certificate_chain: bool,
    }
}

record! {
    pub struct GoogleIam: "googleiam.Config" {
        credentials_file: String,
    }
}

impl Section for ManagedIdentity {}
impl Section for WorkloadIdentity {}
impl Section for AzureOAuth {}
impl Section for AzureSdk {}
impl Section for AzureCertificate {}
impl Section for GoogleIam {}

impl Section for AzureAd {
    fn check(&mut self) -> Result<(), Broken> {
        if self.cloud.is_empty() {
            self.cloud = "AzurePublic".to_owned();
        }
        if !["AzurePublic", "AzureChina", "AzureGovernment"].contains(&self.cloud.as_str()) {
            return Err("must provide a cloud in the Azure AD config".into());
        }
        let ways = [
            self.managed_identity.is_some(),
            self.workload_identity.is_some(),
            self.oauth.is_some(),
            self.sdk.is_some(),
            self.certificate.is_some(),
        ];
        match ways.into_iter().filter(|way| *way).count() {
            0 => return Err("must provide an Azure Managed Identity, Azure Workload Identity, Azure OAuth, Azure Certificate or Azure SDK in the Azure AD config".into()),
            1 => {}
            _ => return Err("cannot provide multiple authentication methods in the Azure AD config".into()),
        }
        self.check_ids()?;
        let valid =
            |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "_:/.-".contains(c);
        if !self.scope.chars().all(valid) {
            return Err("the provided scope contains invalid characters".into());
        }
        Ok(())
    }
}

impl AzureAd {
    /// Every way has its own ids that must be there, and be UUIDs.
    fn check_ids(&self) -> Result<(), Broken> {
        let mut required: Vec<(&str, &str, &str)> = Vec::new();
        let mut client_ids: Vec<(&str, &str)> = Vec::new();
        if let Some(way) = self.managed_identity.as_ref().filter(|way| !way.client_id.is_empty()) {
            client_ids.push(("Azure Managed Identity", &way.client_id));
        }
        if let Some(way) = &self.workload_identity {
            let name = "Azure Workload Identity";
            required.extend([
                (name, "client_id", way.client_id.as_str()),
                (name, "tenant_id", &way.tenant_id),
            ]);
            client_ids.push((name, &way.client_id));
            client_ids.push((name, &way.tenant_id));
        }
        if let Some(way) = &self.oauth {
            let name = "Azure OAuth";
            required.extend([
                (name, "client_id", way.client_id.as_str()),
                (name, "client_secret", &way.client_secret.0),
                (name, "tenant_id", &way.tenant_id),
            ]);
            client_ids.push((name, &way.client_id));
        }
        if let Some(way) = &self.certificate {
            let name = "Azure Certificate";
            required.extend([
                (name, "client_id", way.client_id.as_str()),
                (name, "tenant_id", &way.tenant_id),
                (name, "certificate_path", &way.certificate_path),
            ]);
            client_ids.push((name, &way.client_id));
        }
        if let Some((name, key, _)) = required.iter().find(|(.., value)| value.is_empty()) {
            return Err(format!("must provide an {name} {key} in the Azure AD config").into());
        }
        match client_ids.iter().find(|(_, id)| !is_uuid(id)) {
            Some((name, _)) => Err(format!("the provided {name} client_id is invalid").into()),
            None => Ok(()),
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let dashes = text.bytes().filter(|b| *b == b'-').count();
    digits == 32 && digits + dashes == text.len()
}
