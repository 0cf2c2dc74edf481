mod append;
mod blocks;
mod crash;
mod histograms;
mod upstream;
mod world;
