"""What a course is made from: masters, syllabus, plans, editions and the rules they obey."""
