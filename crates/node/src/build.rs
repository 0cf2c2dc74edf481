//! Which program this is, for those who ask.

use api::prometheus::status::BuildInfo;
use telemetry::{Family, Kind, Registry};

/// The Prometheus whose surface we have. Clients choose what they may ask by it.
pub const PROMETHEUS: &str = "3.14.0";
/// The Alertmanager whose surface we have.
pub const ALERTMANAGER: &str = "0.34.0";
/// Of Vesta itself.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The compiler, under a key that upstream calls the Go version.
pub const COMPILER: &str = concat!("rust", env!("CARGO_PKG_RUST_VERSION"));

/// How clients of the server call themselves.
pub(crate) fn user_agent() -> String {
    format!("Prometheus/{PROMETHEUS}")
}

/// The commit, if whoever built this has said so.
pub fn revision() -> &'static str {
    option_env!("VESTA_REVISION").unwrap_or("unknown")
}

/// For the API, as the `version` of upstream whose surface we have.
pub(crate) fn info(version: &str) -> BuildInfo {
    BuildInfo {
        version: version.to_owned(),
        revision: revision().to_owned(),
        branch: format!("vesta-{VERSION}"),
        build_user: "vesta".to_owned(),
        build_date: String::new(),
        go_version: COMPILER.to_owned(),
    }
}

/// One line for the log at the start.
pub(crate) fn context(version: &str) -> String {
    format!("(version={version}, branch=vesta-{VERSION}, revision={})", revision())
}

/// What `--version` prints, in upstream's form.
pub fn describe(program: &str, version: &str) -> String {
    let (revision, platform) = (revision(), platform());
    format!(
        "{program}, version {version} (branch: vesta-{VERSION}, revision: {revision})\n  \
         build user:       vesta\n  build date:       unknown\n  go version:       {COMPILER}\n  \
         platform:         {platform}\n  tags:             vesta"
    )
}

/// `linux/amd64`, as Go writes it.
fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}/{architecture}", std::env::consts::OS)
}

/// `<prefix>_build_info`: always 1, the labels say everything.
pub(crate) fn register(registry: &Registry, prefix: &'static str, version: &'static str) {
    registry.collect(move |families| {
        let platform = platform();
        let (os, architecture) = platform.split_once('/').unwrap_or_default();
        let labels = [
            ("branch", concat!("vesta-", env!("CARGO_PKG_VERSION"))),
            ("goarch", architecture),
            ("goos", os),
            ("goversion", COMPILER),
            ("revision", revision()),
            ("tags", "vesta"),
            ("version", version),
        ];
        let family = Family::new(
            &format!("{prefix}_build_info"),
            &format!("A metric with a constant '1' value labeled by version, revision, branch, goversion from which {prefix} was built, and the goos and goarch for the build."),
            Kind::Gauge,
        );
        families.push(family.with(&labels, 1.0));
    });
}
