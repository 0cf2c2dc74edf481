mod checks;
mod requests;
mod world;
