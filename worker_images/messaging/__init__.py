"""The messaging worker: SMS, LMS and Kakao Alimtalk, each text at most once."""
