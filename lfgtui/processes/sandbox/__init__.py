"""The sandbox: what an agent's programs can see and change, by bubblewrap."""
