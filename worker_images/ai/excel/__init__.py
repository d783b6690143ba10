"""Spreadsheets: students enrolled from one, attendance and staff exported to one."""
