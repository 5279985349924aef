"""The services of voicemesh on one machine, as processes.

- `run`: `voicemesh-run`. `demo`: `voicemesh-demo`.
- `programs`: which services there are, where they listen and what they wait for.
- `preflight`: what must be there before anything is started; `needed_models`: of the models,
  which. `unknown_variables`: settings that are none.
- `supervision`: pure: when each program is started, restarted and stopped, as `actions`.
- `fleet`: carries out what `supervision` decides, with `children`, `output` and `readiness`.
- `tether`: makes a child end when the launcher does, however that ends.
- `announcements`: what the person at the terminal reads.
"""
