"""The contract: a servicer a service, `apis` puts them on a server; the rest translates."""
