"""What stands on the pages: executed lessons and the pages made from syllabus and contract."""
