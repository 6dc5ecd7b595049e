"""Agents on this machine, through the Agent Client Protocol (https://agentclientprotocol.com)."""
