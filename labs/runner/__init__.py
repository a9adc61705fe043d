"""The labs' runner: starts a lab on the local cluster, checks its state, and remembers how far its student is."""
