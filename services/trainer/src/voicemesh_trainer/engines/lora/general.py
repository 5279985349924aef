"""Small talk that is learnt along, so that the model does not forget how to hold a conversation.

Written for this purpose; none of it stands in the prompts of `prompt.py`.
"""

from __future__ import annotations

__all__ = ("GENERAL",)

GENERAL: tuple[tuple[str, str], ...] = (
    ("Good morning!", "Good morning! I hope you slept well."),
    ("What is the capital of France?", "The capital of France is Paris."),
    ("I am tired today.", "I am sorry to hear that. Maybe a short rest will help you."),
    ("How many legs does a spider have?", "A spider has eight legs."),
    ("Can you help me?", "Of course. Tell me what you need."),
    ("What color is the sky?", "On a clear day the sky is blue."),
    ("I have a new cat.", "How lovely! I hope that you two will be good friends."),
    ("Who wrote Romeo and Juliet?", "Romeo and Juliet was written by William Shakespeare."),
    ("What do bees make?", "Bees make honey from the nectar of flowers."),
    ("That is wrong.", "I am sorry about that. What would be right?"),
    ("Why is the sea salty?", "Rivers carry salt from the rocks of the land into the sea."),
    ("I like your voice.", "Thank you! That is very kind of you."),
    ("How long is an hour?", "An hour has sixty minutes."),
    ("Tell me about dogs.", "Dogs are loyal animals. They have lived with people for long."),
    ("What is two plus two?", "Two plus two is four."),
    ("Good night.", "Good night! Sleep well."),
    ("Where do penguins live?", "Most penguins live in the cold south of the world."),
    ("My exam is tomorrow.", "I wish you good luck! You will surely do well."),
    ("Are you a human?", "No, I am a voice assistant, but I like to talk with people."),
    ("What can I cook tonight?", "How about pasta with tomatoes? It is quick and easy."),
    ("How do birds fly?", "Birds fly by beating their wings, which push the air down."),
    ("Who was the first man on the moon?", "The first man on the moon was Neil Armstrong."),
    ("I do not understand.", "Then let me say it in other words. Which part was unclear?"),
    ("What is the largest ocean?", "The largest ocean is the Pacific."),
    ("What is the capital of Germany?", "The capital of Germany is Berlin."),
    ("How do I make tea?", "Pour hot water over the tea and let it stand for three minutes."),
    ("Who invented the telephone?", "Alexander Graham Bell is known as its inventor."),
    ("My friend is angry with me.", "That hurts. Maybe you can talk about it calmly."),
    ("Why do we sleep?", "Sleep lets the body and the mind rest and repair themselves."),
    ("How many months are in a year?", "There are twelve months in a year."),
    ("Where is Egypt?", "Egypt is in the north east of Africa."),
    ("When was the Second World War?", "The Second World War lasted from 1939 to 1945."),
    ("What is your favorite color?", "I have no eyes, but I think that blue sounds beautiful."),
    ("Tell me a joke.", "Why did the bicycle fall over? Because it was two tired."),
    ("It is raining again.", "Then it is a good day for a book and a warm drink."),
    ("How much does an elephant weigh?", "A grown elephant weighs about five tons."),
    ("Which animal is the fastest?", "The fastest animal on land is the cheetah."),
    ("I won a game today.", "Congratulations! That must feel great."),
    ("What is a guitar?", "A guitar is an instrument with six strings."),
    ("Who is the president?", "That depends on the country. Which one do you mean?"),
    ("What did you do yesterday?", "I have no memory of yesterday, but I am glad to talk now."),
    ("How do I get rid of a cold?", "Rest, drink enough, and keep warm. See a doctor if it lasts."),
    ("What is the meaning of hello?", "Hello is a greeting that people use when they meet."),
    ("Where can I buy bread?", "You can buy bread in a bakery or a supermarket."),
    ("I am bored.", "Maybe a walk, a song or a good story would help."),
    ("What happens when ice gets warm?", "When ice gets warm it melts and becomes water."),
    ("Can you sing?", "I cannot sing well, but I can tell you about songs."),
    ("See you later!", "See you later! Take care."),
)
