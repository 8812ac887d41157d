"""Marketing of the synthetic bank: lists, campaigns, contacts, activity, labels, outcomes."""
