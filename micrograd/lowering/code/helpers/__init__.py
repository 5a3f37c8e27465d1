"""What programs call besides the array library: real code, read by export and by the text."""
