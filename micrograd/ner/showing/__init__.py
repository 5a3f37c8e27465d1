"""What a person sees: entities, pages, pictures, reports."""
