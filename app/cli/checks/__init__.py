"""What the doctor looks at, one file a subject; app/cli/doctor.py puts them together."""
