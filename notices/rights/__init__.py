"""What notices have to do when somebody asks for their data, or leaves."""
