"""The ledger: the durable steps that keep the rules true, each one atomic script on one partition or mailbox."""
