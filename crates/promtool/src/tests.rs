mod blocks;
mod checks;
mod pushes;
mod queries;
mod requests;
mod unit_tests;
mod world;
