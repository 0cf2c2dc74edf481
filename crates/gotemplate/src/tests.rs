mod conformance_tests;

mod notification;
