# /// torchlore
# title = "Save a checkpoint"
# description = "Everything that training needs to go on; an interrupted save leaves the old file whole."
# card = "save-and-load"
# imports = ["import os", "import torch"]
# [holes]
# model = "Module"
# optimizer = "Optimizer"
# scheduler = "Scheduler"
# ///
checkpoint = {
    "epoch": epoch,
    "model": model.state_dict(),
    "optimizer": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(),
}
torch.save(checkpoint, "checkpoint.pt.tmp")
os.replace("checkpoint.pt.tmp", "checkpoint.pt")
