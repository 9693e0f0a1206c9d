"""What the Notion connector is made of: its columns, their values, and what Notion may say."""
