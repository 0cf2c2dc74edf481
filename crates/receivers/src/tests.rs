mod requests;
mod sections;
mod service;
