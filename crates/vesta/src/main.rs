mod flags;
mod host;
fn main() {}
