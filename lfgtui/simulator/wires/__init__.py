"""The three wires: each reads and refuses requests and writes replies in its API's form.

`base` has what the server uses of them; `anthropic`, `responses` and `chat` implement it.
"""
