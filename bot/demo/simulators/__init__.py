"""Vendors to practise on: as strict as the real ones, on loopback, obeying the clock they are given."""
