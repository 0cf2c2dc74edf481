mod append;
mod upstream;
mod world;
