mod append;
mod blocks;
mod crash;
mod exemplars;
mod histograms;
mod late;
mod upstream;
mod world;
