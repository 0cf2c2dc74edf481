//! How do others read our series, and we theirs? Thanos' StoreAPI, served and consumed.
