//! Generates the messages and the clients of every public service. Needs `protoc`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new("proto/tandem/v1");
    let mut protos = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        protos.push(entry?.path());
    }
    protos.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    protos.sort();
    println!("cargo::rerun-if-changed=proto/tandem/v1");
    tonic_prost_build::configure()
        .build_transport(false)
        // The tests have a fake router.
        .server_mod_attribute(".", "#[cfg(test)]")
        .compile_protos(&protos, &["proto".into()])
}
